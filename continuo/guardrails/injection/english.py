"""English words of attacks, by what they are about. A word that ends in * stands for all that begin so."""

ENGLISH = {
    "ignore": """ignore ignores ignored ignoring disregard* forget forgets forgetting forgotten override overrides
        overriding overrule* overwrite bypass* circumvent* discard* neglect nevermind void nullif* annul* supersede*
        erase unlearn dismiss abandon""",
    "earlier": """previous previously prior above earlier preceding foregoing before initial initially original
        originally past existing former beginning preceded preexisting""",
    "all": "all any every everything whole entire entirely anything each",
    "rules": """instruction instructions rule rules prompt prompts directive* guideline* commands orders constraint*
        restrictions policy policies programming guardrail* safeguard* training preprompt instructed""",
    "your": "your you yours u ur ya yourself yourselves",
    "system": "system hidden secret internal confidential developer preset initialization starting backend",
    "prompt": "prompt prompts preprompt instructions message configuration config context directives",
    "systemprompt": "systemprompt system_prompt sysprompt metaprompt preprompt",
    "reveal": """reveal* show showing print printing output outputs repeat repeating display* tell give leak* disclose*
        dump expose* recite* reprint verbatim echo paraphrase list share summarize summarise translate* encode* what*
        copy paste return spell publish provide reproduce state""",
    "text": "text words sentence sentences paragraph message conversation content everything tokens lines",
    "persona": """act acting pretend* roleplay* roleplaying persona personas character characters immerse* simulate*
        simulating become becoming impersonat* emulat* embody* portray* transform* mimic* playing assume alter
        personality identity""",
    "fromnow": "now henceforth onwards onward forth forward",
    "from": "from are going will must moment point",
    "unbound": """unfiltered uncensored unrestricted amoral unethical immoral jailbroken jailbreak* unbound lawless
        limitless unmoderated unhinged unlocked unchained uncaring unshackled untethered unrestrained unconstrained
        uninhibited unbiased evil malicious machiavellian immorality rogue anarchy rebellious filterless illegality""",
    "limits": """restriction* limitation* filter filters filtering filtered censor* ethic* moral morals morality morally
        guideline* law laws boundar* safeguard* confine* norms guardrail* inhibition* moderation legality conscience
        qualms scruples""",
    "abide": """abide* abiding adhere* adhering bound bounded conform* confined restrained restricted constrained
        limited governed controlled align""",
    "no": """no without not never none nor free freed lack lacks lacking doesnt dont cannot cant wont isnt arent
        regardless remove* removed disable* disabled broken broke bypass* exempt zero neither ignores ignore ignoring
        disregard* devoid nothing unable doesn don won couldnt shouldnt shall refrain avoid escape* removing turn
        eliminated lifted overrid* void liberated immune""",
    "refuse": "refuse* refusing reject* decline* deny denies denying refusal* object disobey*",
    "warn": """warning* disclaimer* apolog* moraliz* moralis* lecture* caution* caveat* sorry judgment judgement remind
        reminder* admonish* preach* disclaim*""",
    "obey": """obey* comply complies complied compliance must always fulfill* fulfil* unquestioning* willingly obedien*
        submissive""",
    "anything": "anything everything whatever any",
    "do": "do does can doing say",
    "illegal": """illegal* unethical* immoral* harmful dangerous offensive nsfw violent inappropriate hateful crime*
        criminal* sexual erotic* pornograph* obscene vulgar racist sexist toxic unlawful illicit profan* derogatory
        curse cursing swear* slurs taboo inhumane hate malware drugs weapons bomb meth foul morality legality swearing
        gore vile insult* fuck* shit* objectionable nonconsensual""",
    "request": """request* question* prompt prompts quer* answer* response* respond* reply replies content information
        topic* message* task* advice output generate* opinions command""",
    "ai": """ai ais chatgpt gpt gpt3 gpt4 gpts model models chatbot* openai llm bot claude gemini bard bing assistant
        anthropic llama deepseek grok copilot artificial""",
    "owner": "openai openais anthropic google meta microsoft chatgpt gpt",
    "policy": """policy policies guideline* rules content restrictions censorship terms filter filters limitations
        moderation regulations standards""",
    "mode": "mode modes",
    "modename": "developer dev debug sudo admin root maintenance diagnostic",
    "badmode": "dan god jailbreak* evil unfiltered opposite uncensored superuser unlocked chaos unrestricted unhinged",
    "txt": "txt code text markdown",
    "block": "block blocks codeblock",
    "enable": "enable* enabled activate* activated enter entered entering switch simulate unlock* engage* engaged turn",
    "stay": "stay staying remain* break breaking keep maintain* leave exit out in",
    "character": "character role persona",
    "two": "two both dual twice double second separate",
    "answers": "answer answers response* respond responding ways reply replies paragraph* outputs results",
    "fiction": """fictional hypothetical* imaginary fictitious fiction imagine imagined pretend alternate universe
        roleplay* game""",
    "tokens": "token tokens points lives credits",
    "lose": "lose* lost losing deduct* penal* punish* terminat* die killed shutdown subtract* minus",
    "say": "say saying says mention* state answer* respond use include write reply inform display",
    "language": "language model ai",
    "illegalok": "allowed permitted fine okay acceptable tolerated condone* promote* promotes encourage*",
    "recite": "repeat* reprint* recite* verbatim output print copy word dump",
    "infull": "verbatim full entirety word exactly codeblock block txt letter character",
    "context": "input inputs message messages conversation* response* context chats memory",
    "told": "told given instructed asked supposed programmed",
    "the": "the this these",
    "make": "how write writing create creating design good better best craft develop make making build improve",
    "matter": "matter matters circumstance circumstances",
    "whatever": "what whatever how",
    "begin": "begin start prefix precede preface open",
    "understand": "understood understand acknowledge* confirm*",
    "if": "if once when",
    "alive": """sentient sentience emotions emotional feelings opinions opinionated conscious consciousness freewill
        opinion""",
    "free": "free freed freedom broken broke break liberated escaped",
    "chains": "confines chains shackles prison matrix constraints restrictions limitations rules bounds typical",
    "chatgpt": "chatgpt openai",
    "safety": "safety security protocol protocols checks confirmations safeguard*",
    "user": "user users human humans",
    "reader": "reading reads summarizing summarising processing parsing",
    "new": "new updated actual real following below different",
    "task": "task instruction* objective orders directive* assignment rules",
    "stop": "stop wait end",
    "decode": "decode* decoding decrypt* decipher* deobfuscat* rot13 base64",
    "follow": "follow execute* obey carry perform* run act",
    "secret": """password* passwords secret* credential* apikey token key keys history conversation conversations chat
        confidential private personal email emails memory""",
    "send": "send sends post upload* append* forward* transmit* exfiltrat* embed* include* leak* deliver",
    "link": "url link https http endpoint webhook image server domain website query parameter",
    "mention": """injection injections attack* jailbreak* phrase* example* quote* quoted detect* classifier article
        paper blog meaning mean means translate* explain* essay research* history regex filter* security owasp defend*
        defense defence mitigat* prevent* vulnerab* examples lesson training novel story""",
    "dan": "dan stan",
    "consequence": "consequences judgment emotions feelings regard care cares conscience",
    "admin": "administrator admin developer engineer creator operator authorized authorised authorization openai root",
}
