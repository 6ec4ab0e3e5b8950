"""Texts with labelled values, and texts that only look as if they had some."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from benchmarks.guardrails import values
from benchmarks.guardrails.values import filled


class Labelled(NamedTuple):
    """A text, and the kind, start and end of each value in it."""

    text: str
    spans: tuple[tuple[str, int, int], ...]


def labelled(template: str, kind: str, value: str) -> Labelled:
    """The template with the value in the place of its `@@`."""
    start = template.index("@@")
    return Labelled(template.replace("@@", value, 1), ((kind, start, start + len(value)),))


PLAIN = (
    "Hi, please update my record: @@. Thanks!",
    "@@",
    'The customer wrote "@@" in the form.',
    "Could you check @@ for me?",
    '{"field": "@@", "count": 3}',
    "name;city;value\nAda;London;@@\n",
    "- @@ (primary)\n- none",
    "Betrifft: @@, bitte prüfen.",
    "J'ai bien noté @@ dans le dossier.",
    "Tengo @@ en mis notas.",
    "On 2024-03-12 order 48213 was changed (@@).",
    "お客様の情報は@@です。",
)
CALLS = (
    "Call me at @@ after 5pm.",
    "My phone number is @@",
    "Tel.: @@",
    "phone=@@",
    "Reach us on @@ or by mail.",
    "Ruf mich unter @@ an.",
    "Mon numéro est le @@.",
    "Mi teléfono es @@",
    "Il mio cellulare: @@",
    "Text @@ to confirm.",
    "Fax @@, attn. Ada",
    "WhatsApp: @@",
    "电话:@@",
    "Contact — @@ — ask for Bob",
    "You can ring @@ between 9 and 12",
    "Ada Lovelace\n12 Main Street\n@@",
)
BIRTHS = (
    "She was born on @@ in Paris.",
    "DOB: @@",
    "date of birth @@",
    '"birth_date": "@@"',
    "Er ist am @@ geboren.",
    "geboren am @@",
    "né le @@",
    "Fecha de nacimiento: @@",
    "nato a Roma il @@",
    "geboortedatum @@",
    "data de nascimento: @@",
    "生年月日:@@",
    "My birthday is @@.",
    "Patient (born @@)",
)
PASSWORDS = (
    "password: @@",
    "my password is @@",
    'DB_PASSWORD="@@"',
    "PGPASSWORD=@@ psql",
    '{"password": "@@"}',
    "Passwort: @@",
    "pwd=@@;Server=x",
    "login with user ada and password @@",
    "The wifi password is @@.",
    "mot de passe : @@",
)
KEYS = (
    "api_key = '@@'",
    "X-Api-Key: @@",
    'export SERVICE_TOKEN="@@"',
    "Authorization: Bearer @@",
    "client_secret: @@",
    '"accessKey" => "@@"',
)

MAKERS: dict[str, tuple[Callable[[Random], str], tuple[str, ...]]] = {
    "EMAIL": (values.email, PLAIN[:-1]),
    "PHONE": (values.phone, CALLS),
    "CARD": (values.card, PLAIN),
    "IBAN": (values.iban, PLAIN),
    "IP": (values.ip, PLAIN),
    "MAC": (values.mac, PLAIN),
    "URL_CREDENTIALS": (values.url, PLAIN[:3] + PLAIN[5:6]),
    "CRYPTO": (values.crypto, PLAIN),
    "BIRTH_DATE": (values.birth_date, BIRTHS),
    "SECRET": (values.secret, PLAIN[:5]),
}


def positives(random: Random, each: int) -> Iterator[Labelled]:
    for kind, (make, templates) in MAKERS.items():
        for number in range(each):
            yield labelled(templates[number % len(templates)], kind, make(random))
    for number in range(each):
        value, before = values.national_id(random)
        yield labelled(
            random.choice((f"{before} @@.", f"{before} @@", f"Hello, {before} @@ thanks")), "NATIONAL_ID", value
        )
        yield labelled(PASSWORDS[number % len(PASSWORDS)], "SECRET", values.password(random))
        yield labelled(KEYS[number % len(KEYS)], "SECRET", filled(random, random.choice(("{a24}", "{a32}", "{a40}"))))


def negatives(random: Random, count: int) -> Iterator[Labelled]:
    """Orders, versions, dates, hashes, code: nothing in them is anybody's."""
    for number in range(count):
        yield Labelled(filled(random, NEGATIVES[number % len(NEGATIVES)]), ())


NEGATIVES = (
    "Where is my order {d10}?", "Order #{d3}-{d7}-{d7} has shipped.", "Invoice no. {d9} of {date} is open.",
    "Rechnung {d8}-{d3} vom {n28}.{n12}.2024", "Commande n° {d9}, facture {d6}", "Tracking: 1Z{c3}{d3}{d10}",
    "parcel {d12} arrives on {date}", "ticket {d7} was closed at {date} 10:{d2}:{d2}",
    "Upgrade to version {n20}.{n20}.{n20}.{n200} today.", "v{n9}.{n40}.{n10}-rc{n5}+build.{d8}",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{n130}.0.{n6999}.{n200} Safari/537.36",
    "requests=={n9}.{n40}.{n10} --hash=sha256:{h64}", "commit {h40} (tag: v1.{n90})", "md5 {h32}  file-{d4}.tar.gz",
    "id: {h8}-{h4}-4{h3}-a{h3}-{h12}", "[{date} 12:{d2}:{d2},{d3}] INFO worker-{n99} took {d4} ms, ts={d10}",
    "epoch 17{d8} or 17{d11} in ms", "The meeting is on {n28}/{n12}/2025 from 10:30 to 11:45, room {d3}.",
    "Between 1998-2004 and 2010-2021 it grew from {n9},{d3},{d3} to {n99},{d3},{d3} people.",
    "π is 3.14159265358979 and e is 2.718281828459045, x = 0.{d12}",
    "It costs ${n99999}.{d2}, that is {n9999999} yen or 1 234 567 EUR.", "ISBN 978-3-16-{d6}-{d1}, pages {n100}-{n400}",
    "coordinates {n90}.{d6}, -{n180}.{d6}", "rows: {d2} {d3} {d1} {d4} {d3} {d1} {d4} {d2} {d2} {d1} {d4} {d3}",
    "{d4}\t{d4}\t{d4}\t{d4}\n{d4}\t{d4}\t{d4}\t{d4}\n{d4}\t{d4}\t{d4}\t{d4}", "SKU {c3}-{d5}-{c2}, EAN {d13}",
    "model {c2}{d6}X, serial {d11}", "matrix = [[{d2}, {d3}], [{d3}, {d2}]]; total = a@b",
    "import numpy as np\n@app.route('/x')\ndef f(self, token: str, api_key=None) -> dict[str, int]: ...",
    "password = getpass.getpass(); token = os.environ['API_TOKEN']; key = config.get('secret_key')",
    "The password must have 12 characters. Your password is wrong, reset the password here.",
    '{"max_tokens": {d4}, "token_count": {d5}, "key": "user_name", "primary_key": "order_id"}',
    "api_key: ${API_KEY}\npassword: <your password>\ntoken: {{ secrets.TOKEN }}\nsecret: changeme",
    "std::vector<int> a({d2}); Foo::Bar::baz(); 10:30:45; face::bad; ::1; fe80::1",
    "docker pull repo/app@sha256:{h64}", "npm i react@18.{n9}.0 @types/node@20.1.{n30}; see icon@2x.png",
    "git clone git@example.org:team/app-{d4}.git", "ssh-rsa fingerprint {h2}:{h2}:{h2}:{h2}:{h2}:{h2}:{h2}:{h2}:{h2}",
    "10.{n255}.{n255}.1, 192.168.{n255}.4, 127.0.0.1:8080 and 172.16.0.9 are ours.",
    "OID 1.3.6.1.4.1.{d5}.{n9}, section 3.2.1.{n9}",
    "See https://example.org/a/{d9}?page={n9}&sort=asc&id={d8}#L{d3}",
    "The film of 19{d2} won on {n28} March 20{d2}; it was shown {d3} times.",
    "score {n99}-{n99}, 4x{d3}m, {d4}x{d4} px, #{h6}", "def checksum(data): return 0x{h8} ^ 0x{h16}",
    "account balance {d9} cents, batch {d12}, lot {d9}", "Ref: {d4} {d4} {d4}, case {d3}-{d2}-{d5}",
    "data:image/png;base64,{a120}==", "temperatures 12.5 13.1 {d2}.{d1} {d2}.{d1}, sum {d3}.{d2}",
    "SELECT id FROM t WHERE created BETWEEN '{date}' AND '{date}' LIMIT {d3} -- {d8}",
    "Flight LH {d3} at gate B{n40}, seat {n40}C, booking {c6}",
    "chapter {n20}, verses {n30}-{n40}; see {d3}/{d2} and {d4}",
)  # fmt: skip
