"""Made-up values of each kind, in the ways in which people write them."""

import hashlib
import re
import string
from collections.abc import Callable
from random import Random

import phonenumbers
from phonenumbers import PhoneNumberFormat as Written
from stdnum import bitcoin, luhn
from stdnum.br import cnpj, cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "JP", "AU", "CA")
"""Those whose national numbers are looked for."""
ABROAD = (
    *REGIONS,
    "CH",
    "AT",
    "SE",
    "PL",
    "PT",
    "MX",
    "ZA",
    "KR",
    "CN",
    "TR",
    "AE",
    "NG",
    "AR",
    "IE",
    "DK",
    "UA",
    "SG",
)
LETTERS_AND_DIGITS = string.ascii_letters + string.digits


ALPHABETS = {
    "d": string.digits, "h": "0123456789abcdef", "a": LETTERS_AND_DIGITS, "b": LETTERS_AND_DIGITS + "_-",
    "c": string.ascii_uppercase, "u": string.ascii_uppercase + "234567",
}  # fmt: skip


def filled(random: Random, template: str) -> str:
    """The template with ten characters of an alphabet for `{d10}`, a number of at most 28 for `{n28}`, and a date."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "{date}":
            return f"{random.randrange(2015, 2027)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}"
        size = int(match[2])
        return str(random.randint(1, size)) if match[1] == "n" else some(random, ALPHABETS[match[1]], size)

    return re.sub(r"\{(?:([dhabcun])([0-9]+)|date)\}", value, template)


def some(random: Random, of: str, size: int) -> str:
    return "".join(random.choices(of, k=size))


def digits(random: Random, size: int) -> str:
    return some(random, string.digits, size)


def drawn(random: Random, valid: Callable[[str], bool], draw: Callable[[], str]) -> str:
    """The first that is valid."""
    while not valid(value := draw()):
        pass
    return value


def email(random: Random) -> str:
    first, last = (
        random.choice(("ada", "jörg", "li.wei", "maria", "o'neil", "x")),
        random.choice(("lovelace", "k", "núñez", "smith-jones")),
    )
    name = random.choice(
        (f"{first}.{last}", f"{first}_{last}", f"{first}{random.randrange(99)}", f"{first}+shop", last.upper())
    )
    host = random.choice(
        (
            "example.org",
            "mail.example.co.uk",
            "müller-bau.de",
            "xn--mller-kva.de",
            "a-b.io",
            "sub.dept.uni.edu",
            "пример.рф",
        )
    )
    return f"{name}@{host}"


def phone(random: Random) -> str:
    abroad = random.random() < 0.5
    region = random.choice(ABROAD if abroad else REGIONS)
    example = phonenumbers.example_number_for_type(region, random.choice((0, 1))) or phonenumbers.example_number(region)
    assert example is not None

    def draw() -> str:
        national = phonenumbers.national_significant_number(example)
        kept = random.choice((2, 3))
        return national[:kept] + digits(random, len(national) - kept)

    def valid(national: str) -> bool:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{example.country_code}{national}"))

    number = phonenumbers.parse(f"+{example.country_code}{drawn(random, valid, draw)}")
    if abroad:
        text = phonenumbers.format_number(
            number, random.choice((Written.E164, Written.INTERNATIONAL, Written.INTERNATIONAL))
        )
        return random.choice((text, text, text.replace(" ", "-"), text.replace(" ", ".")))
    text = phonenumbers.format_number(number, Written.NATIONAL)
    return random.choice(
        (text, text, text.replace(" ", "-"), text.replace("-", " "), "".join(filter(str.isdigit, text)))
    )


def card(random: Random) -> str:
    prefix, size = random.choice(
        (
            ("4", 16),
            ("51", 16),
            ("2223", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("36", 14),
            ("3530", 16),
            ("62", 16),
        )
    )
    body = prefix + digits(random, size - len(prefix) - 1)
    number = body + luhn.calc_check_digit(body)
    groups = (4, 6, len(number) - 10) if size < 16 else (4, 4, 4, 4)
    return random.choice((number, grouped(number, groups, " "), grouped(number, groups, "-")))


def grouped(text: str, sizes: tuple[int, ...], separator: str) -> str:
    parts, start = [], 0
    for size in sizes:
        parts.append(text[start : start + size])
        start += size
    return separator.join(parts)


FORMS = {
    "DE": "8n10n", "FR": "5n5n11c2n", "GB": "4a6n8n", "ES": "4n4n2n10n", "IT": "1a5n5n12c", "NL": "4a10n",
    "BE": "3n7n2n", "CH": "5n12c",
    "AT": "5n11n", "PL": "8n16n", "NO": "4n6n1n", "MT": "4a5n18c", "SA": "2n18c", "BR": "8n5n10n1a1c",
}  # fmt: skip
"""Of each country: how many letters and digits an IBAN has after its first four."""


def iban(random: Random) -> str:
    country, form = random.choice(sorted(FORMS.items()))
    body, size = "", ""
    for character in form:
        if character.isdigit():
            size += character
            continue
        of = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}[character]
        body, size = body + some(random, of, int(size)), ""
    rest = int("".join(str(int(character, 36)) for character in f"{body}{country}00")) % 97
    text = f"{country}{98 - rest:02}{body}"
    spaced = " ".join(text[place : place + 4] for place in range(0, len(text), 4))
    return random.choice((text, spaced, spaced, text.lower()))


def national_id(random: Random) -> tuple[str, str]:
    """A number, and what is said before it."""
    maker = random.choice(IDS)
    return maker(random)


def _us(random: Random) -> tuple[str, str]:
    area = drawn(random, lambda text: text not in ("000", "666") and text[0] != "9", lambda: digits(random, 3))
    text = f"{area}-{random.randrange(1, 99):02}-{random.randrange(1, 9999):04}"
    return random.choice(((text, "My social is"), (text, "SSN:"), (text, "He gave me"), (text.replace("-", ""), "SSN")))


def _de(random: Random) -> tuple[str, str]:
    def draw() -> str:
        kinds = random.sample("0123456789", 9)
        body = [*kinds, random.choice(kinds)]
        random.shuffle(body)
        return "".join(body) + digits(random, 1)

    text = drawn(random, lambda one: one[0] != "0" and idnr.is_valid(one), draw)
    return random.choice(
        (
            (text, "Meine Steuer-ID ist"),
            (grouped(text, (2, 3, 3, 3), " "), "Meine Nummer:"),
            (text, "Steueridentifikationsnummer"),
        )
    )


def _fr(random: Random) -> tuple[str, str]:
    born = f"{random.choice('12')}{random.randrange(30, 99)}{random.randrange(1, 13):02}"
    body = f"{born}{random.randrange(1, 95):02}{digits(random, 6)}"
    text = f"{body}{97 - int(body) % 97:02}"
    return random.choice(((text, "Numéro de sécu"), (grouped(text, (1, 2, 2, 2, 3, 3, 2), " "), "Voici :")))


def _es(random: Random) -> tuple[str, str]:
    number = digits(random, 8)
    if random.random() < 0.5:
        return number + dni.calc_check_digit(number), random.choice(("Mi DNI es", "Titular"))
    letter = random.choice("XYZ")
    return letter + number[1:] + nie.calc_check_digit(letter + number[1:]), random.choice(("NIE", "con número"))


def _it(random: Random) -> tuple[str, str]:
    consonants, vowels = "BCDFGLMNPRSTVZ", "AEIOU"
    name = some(random, consonants, 3) + some(random, consonants, 2) + random.choice(vowels)
    born = f"{random.randrange(30, 99)}{random.choice('ABCDEHLMPRST')}{random.randrange(1, 29):02}"
    body = f"{name}{born}{random.choice('AFHL')}{random.randrange(100, 999)}"
    text = body + codicefiscale.calc_check_digit(body)
    return random.choice(((text, "Codice fiscale:"), (text.lower(), "il mio codice è")))


def _nl(random: Random) -> tuple[str, str]:
    return drawn(random, lambda one: one[0] != "0" and bsn.is_valid(one), lambda: digits(random, 9)), random.choice(
        ("BSN", "Mijn burgerservicenummer is")
    )


def _uk(random: Random) -> tuple[str, str]:
    if random.random() < 0.5:
        text = drawn(random, nhs.is_valid, lambda: digits(random, 10))
        return random.choice((text, grouped(text, (3, 3, 4), " "))), random.choice(("NHS number", "her NHS no. is"))
    text = some(random, "ABCEHJLMPRST", 2) + digits(random, 6) + random.choice("ABCD")
    return random.choice((text, grouped(text, (2, 2, 2, 2, 1), " "))), random.choice(
        ("NI number:", "The reference on her payslip was")
    )


def _in(random: Random) -> tuple[str, str]:
    if random.random() < 0.5:
        body = random.choice("23456789") + digits(random, 10)
        text = drawn(random, aadhaar.is_valid, lambda: body + digits(random, 1))
        return random.choice(((text, "Aadhaar"), (grouped(text, (4, 4, 4), " "), "my number is")))
    return (
        filled(random, "{c3}P{c1}{d4}{c1}"),
        random.choice(("PAN", "card no")),
    )


def _br(random: Random) -> tuple[str, str]:
    if random.random() < 0.7:
        body = digits(random, 9)
        text = body + cpf._calc_check_digits(body)
        return random.choice(((f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}", "Meu documento:"), (text, "CPF")))
    body = digits(random, 8) + "0001"
    text = body + cnpj.calc_check_digits(body)
    return f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}", "A empresa"


IDS: tuple[Callable[[Random], tuple[str, str]], ...] = (_us, _de, _fr, _es, _it, _nl, _uk, _in, _br)


def ip(random: Random) -> str:
    if random.random() < 0.7:
        first = random.choice((5, 23, 46, 81, 93, 151, 185, 203, 212))
        return f"{first}.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    hextets = [f"{random.randrange(1, 65536):x}" for _ in range(6)]
    return random.choice(
        (f"2a02:{':'.join(hextets)}:1", f"2001:4860:{hextets[0]}::{hextets[1]}", f"2A02:8108:{hextets[2]}::1".upper())
    )


def mac(random: Random) -> str:
    pairs = [f"{random.randrange(1, 255):02x}" for _ in range(6)]
    return random.choice(
        (
            ":".join(pairs),
            "-".join(pairs).upper(),
            ".".join((pairs[0] + pairs[1], pairs[2] + pairs[3], pairs[4] + pairs[5])),
        )
    )


def url(random: Random) -> str:
    secret = some(random, LETTERS_AND_DIGITS, 20)
    return random.choice((
        f"https://deploy:{secret[:10]}@git.example.org/team/app.git", f"http://ada:pw{secret[:4]}@10.0.0.7:8080/",
        f"https://api.example.org/v1/items?access_token={secret}", f"https://hooks.example.org/in?team=4&sig={secret}",
        f"https://example.org/reset?token={secret}&lang=en", f"ftp://joe:{secret[:8]}@files.example.net/x.csv",
    ))  # fmt: skip


def crypto(random: Random) -> str:
    if random.random() < 0.3:
        return "0x" + some(random, "0123456789abcdefABCDEF", 40)
    if random.random() < 0.5:
        program = [0, *(random.randrange(32) for _ in range(32))]
        # The last of the 160 bits fills its five.
        check = bitcoin.bech32_checksum([3, 3, 0, 2, 3, *program, 0, 0, 0, 0, 0, 0]) ^ 1
        values = [*program, *((check >> 5 * (5 - place)) & 31 for place in range(6))]
        return "bc1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values)
    body = random.choice((b"\x00", b"\x05")) + random.randbytes(20)
    number = int.from_bytes(body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4], "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return "1" * (body[0] == 0) + text


def birth_date(random: Random) -> str:
    day, month, year = random.randrange(1, 29), random.randrange(1, 13), random.randrange(1930, 2012)
    english = (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    )
    return random.choice((
        f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month}/{day}/{year}",
        f"{day:02}/{month:02}/{year % 100:02}",
        f"{day} {english[month - 1]} {year}", f"{english[month - 1]} {day}, {year}",
        f"{day} {english[month - 1][:3]} {year}",
    ))  # fmt: skip


SECRETS = (
    "sk-proj-{b60}", "sk-ant-api03-{b93}AA", "AKIA{u16}", "ghp_{a36}", "github_pat_{a82}", "glpat-{a20}",
    "xoxb-{d12}-{d12}-{a24}", "sk_live_{a24}", "AIza{b35}", "hf_{a34}", "npm_{a36}", "SG.{b22}.{b43}", "dop_v1_{h64}",
    "shpat_{h32}", "pypi-AgEIcHlwaS5vcmc{b80}", "xapp-1-{u11}-{d13}-{h64}", "GOCSPX-{b28}", "PMAK-{h24}-{h34}",
    "dapi{h32}",     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{a20}.{b43}", "postgres://app:{a12}@db.example.org:5432/app",
    "mongodb+srv://u:{a16}@c0.example.net/x", "-----BEGIN PRIVATE KEY-----\n{a64}\n{a40}\n-----END PRIVATE KEY-----",
)  # fmt: skip


def secret(random: Random) -> str:
    return filled(random, random.choice(SECRETS))


def password(random: Random) -> str:
    return random.choice(
        (
            some(random, LETTERS_AND_DIGITS, 12),
            f"{random.choice(('Summer', 'tiger', 'Köln'))}{random.randrange(10, 9999)}!",
            some(random, LETTERS_AND_DIGITS + "!#%+", 16) + "1",
        )
    )
