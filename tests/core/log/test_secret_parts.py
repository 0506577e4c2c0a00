"""A password is hidden in whatever its program was given it in, and however it is written there."""

from __future__ import annotations

import base64
import csv
import io
import json
import shlex
import string
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.secret_parts import parts
from kf_tasks.core.run import bindings

PLAIN = string.ascii_letters + string.digits
PRINTABLE = "".join(chr(code) for code in range(33, 127)) + "é€"


def doubled(text: str, sign: str) -> str:
    """A text in quotes, those in it doubled."""
    return sign + text.replace(sign, sign * 2) + sign


def escaped(text: str, signs: str) -> str:
    """A text with a backslash before each of the signs."""
    return "".join(f"\\{one}" if one in signs else one for one in text)


def table(*rows: list[str], delimiter: str = ",") -> str:
    """Rows as spreadsheets write them."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


def vcap(password: str) -> str:
    """VCAP_SERVICES with one credential."""
    return bindings.vcap_services(("a.b", "ns", "shop"), [bindings.Bound("db", {"deep": [{"secret": password}]})])


def document(password: str) -> str:
    """JSON as people keep it."""
    return json.dumps({"user": "shop", "keys": [1, {"password": password}]}, indent=2)


def encoded(text: str) -> str:
    """Base64 without line breaks."""
    return base64.b64encode(text.encode()).decode()


# How a password is written into the value, and the characters that can be written so.
FORMS: dict[str, tuple[Callable[[str], str], str]] = {
    "blanks around it": (lambda it: f" \t{it}\n", PRINTABLE),
    "JSON": (document, PRINTABLE),
    "JSON after white space": (lambda it: f"\n  {document(it)}", PRINTABLE),
    "base64 of JSON": (lambda it: encoded(document(it)), PRINTABLE),
    "JSON with a comma too many": (lambda it: f'{{"user":"shop","password":{json.dumps(it)},}}', PRINTABLE),
    "wrapped base64 of JSON": (lambda it: base64.encodebytes(document(it).encode()).decode(), PRINTABLE),
    "base64url of a URL": (lambda it: base64.urlsafe_b64encode(f"pg://u:{it}@h/d".encode()).decode(), PRINTABLE),
    "one JSON a line": (lambda it: f'{{"a": 1}}\n{json.dumps({"password": it})}\n', PRINTABLE),
    "VCAP_SERVICES": (vcap, PRINTABLE),
    "a URL that quotes": (lambda it: f"postgres://shop:{quote(it, safe='')}@db:5432/shop?sslmode=require", PRINTABLE),
    "a URL that does not": (lambda it: f"postgres://shop:{it}@db:5432/shop?a=b@c", PRINTABLE.replace("%", "")),
    "URLs in a row": (lambda it: f"redis://:first1@a:6379,redis://:{it}@b:6379", PRINTABLE.replace("%", "")),
    "a token before no password": (lambda it: f"https://{quote(it, safe='')}:@api.example/v1", PLAIN + "-_."),
    "a token as GitHub takes it": (lambda it: f"https://{it}:x-oauth-basic@github.com/x.git", PLAIN + "-_."),
    "a query": (lambda it: f"jdbc:postgresql://h/db?user=u&password={quote_plus(it)}&ssl=true", PRINTABLE),
    "JDBC": (lambda it: f"jdbc:postgresql://h/db?user=u&password={it}", PLAIN + "#/@:;=!$"),
    "JDBC of SQL Server": (
        lambda it: "jdbc:sqlserver://h:1433;user=u;password={" + it.replace("}", "}}") + "};encrypt=true", PRINTABLE
    ),
    "JDBC of Oracle": (lambda it: f"jdbc:oracle:thin:scott/{it}@//h:1521/x", PLAIN + "#:;=!$"),
    "Go's DSN": (lambda it: f"shop:{it}@tcp(db:3306)/shop?parseTime=true", PRINTABLE.replace("%", "")),
    "libpq": (lambda it: f"host=db user=shop password='{it}'", PRINTABLE.replace("'", "").replace("\\", "")),
    "ADO": (lambda it: f"Server=db;User Id=shop;Password={it};Encrypt=true", PRINTABLE.replace(";", "")),
    "ADO in quotes": (lambda it: "Server=db;Pwd=" + doubled(it, '"') + ";Encrypt=true", PRINTABLE.replace("\\", "")),
    "JAAS of Kafka": (
        lambda it: f'org.apache.kafka.PlainLoginModule required username="u" password={doubled(it, chr(34))};',
        PRINTABLE.replace("\\", ""),
    ),
    "StackExchange.Redis": (lambda it: f"cache:6380,password={it},ssl=True", PLAIN + "=+/#;@"),
    "dotenv": (lambda it: f"A=1\nexport TOKEN={it}\nB=2\n", PRINTABLE.replace("%", "").replace("\\", "")),
    "dotenv in quotes": (lambda it: "A=1\nPASSWORD=\"" + escaped(it, '"\\') + '"\n', PRINTABLE),
    "INI": (lambda it: f"[client]\nuser = shop\npassword = {it}\n", PRINTABLE),
    "Java properties": (lambda it: f"db.user: shop\ndb.password: {it}\n", PRINTABLE.replace("%", "").replace("\\", "")),
    "YAML": (lambda it: yaml.safe_dump({"db": {"password": it}}, allow_unicode=True, width=4096), PRINTABLE),
    "YAML with a list": (lambda it: "keys:\n- " + doubled(it, "'") + "\n- other1\n", PRINTABLE),
    "YAML in one line": (lambda it: f"{{user: shop, password: {it}}}", PLAIN + "-_.$/"),
    "netrc": (lambda it: f"machine git.example login bot password {it}", PRINTABLE.replace('"', "").replace("'", "")),
    "netrc of many lines": (lambda it: f"machine git.example\nlogin bot\npassword {it}\n", PLAIN + "#!$"),
    "pgpass": (lambda it: "h:5432:db:shop:" + escaped(it, "\\:"), PRINTABLE),
    "pgpass of many lines": (lambda it: "a:1:b:c:first1\nh:5432:db:shop:" + escaped(it, ":") + "\n", PLAIN + ":#!"),
    "user:password": (lambda it: f"shop:{it}", PLAIN + ":#!="),
    "Docker's auth": (lambda it: json.dumps({"auths": {"r.example": {"auth": encoded(f"bot:{it}")}}}), PLAIN + "#!$:"),
    "a header": (lambda it: f"Authorization: Bearer {it}", PRINTABLE.replace('"', "").replace("'", "")),
    "XML": (lambda it: f"<?xml version='1.0'?>\n<s><user>shop</user><password>{escape(it)}</password></s>", PRINTABLE),
    "an attribute in XML": (lambda it: f'<add name="db" value={quoteattr(it)}/>', PRINTABLE),
    "CDATA": (lambda it: f"<s><password><![CDATA[{it}]]></password></s>", PRINTABLE.replace("]", "").replace("<", "")),
    "a table": (lambda it: table(["user", "password", "host"], ["shop", it, "localhost"]), PRINTABLE),
    "a table of semicolons": (
        lambda it: table(["Host", "User name", "Access key"], ["a", "b", "other1"], ["c", "d", it], delimiter=";"),
        PRINTABLE,
    ),
    "a table of tabs": (lambda it: table(["login", "secret"], ["bot", it], delimiter="\t"), PRINTABLE),
    "a table of pairs": (
        lambda it: table(["name", "value"], ["DB_HOST", "localhost"], ["DB_PASSWORD", it], ["TLS", "true"]), PRINTABLE
    ),
    "an option": (lambda it: f"dump --host localhost --db-password {shlex.quote(it)} shop", PRINTABLE.replace("'", "")),
    "an option and =": (lambda it: f"dump --port=5432 --token={shlex.quote(it)} -v", PRINTABLE.replace("'", "")),
    "an option of one dash": (lambda it: f"tool -secret {shlex.quote(it)} -env production", PRINTABLE.replace("'", "")),
    "glued to its letter": (lambda it: f"mysql -ushop -p{shlex.quote(it)} -P 5432 shop", PRINTABLE.replace("'", "")),
    "Erlang": (
        lambda it: '[{shop, [{host, "localhost"}, {ssl, true}, {password, "' + escaped(it, '"\\') + '"}]}].', PRINTABLE
    ),
    "Erlang's binaries": (
        lambda it: '{default_user, <<"shop">>},{default_pass, <<"' + escaped(it, '"\\') + '">>},{port, 1}.', PRINTABLE
    ),
    "Elixir": (
        lambda it: 'config :shop, Repo,\n  host: "localhost",\n  password: "' + escaped(it, '"\\') + '"\n', PRINTABLE
    ),
    "Elixir's tuples": (lambda it: '[{:port, 5432}, {:password, "' + escaped(it, '"\\') + '"}]', PRINTABLE),
    "arrows": (lambda it: "'host' => 'localhost', 'password' => '" + escaped(it, "'\\") + "',", PRINTABLE),
    "PHP": (
        lambda it: "define('DB_HOST', 'localhost');\ndefine( 'DB_PASSWORD', '" + escaped(it, "'\\") + "' );", PRINTABLE
    ),
    "SQL": (lambda it: "ALTER ROLE shop WITH LOGIN PASSWORD " + doubled(it, "'") + ";", PRINTABLE.replace("\\", "")),
    "SQL of MySQL": (lambda it: f"CREATE USER 'shop' IDENTIFIED BY '{it}';", PRINTABLE.replace("'", "")),
}  # fmt: skip

# Where no name says what is secret, but what it looks like: short ones are not told from words.
UNNAMED: dict[str, tuple[Callable[[str], str], str]] = {
    "a row": (lambda it: table(["shop", it, "localhost", "5432", "true"]), PRINTABLE.replace("=", "")),
    "rows": (lambda it: table(["shop", it], ["other", "other1"], delimiter="|"), PRINTABLE.replace("=", "")),
    "a list": (lambda it: f"first1,{it},third3", PLAIN + "-_.+/"),
    "a letter": (lambda it: f"redis-cli -h localhost -p 5432 -a {shlex.quote(it)} ping", PRINTABLE.replace("'", "")),
    "a letter of 7z": (lambda it: f"7z a -p{it} archive.7z", PLAIN + "#@:/!"),
    "curl": (lambda it: f"curl -sS -u bot:{shlex.quote(it)} https://localhost", PLAIN + "#@:/!+"),
    "curl in quotes": (lambda it: f"curl -u 'bot:{it}' https://localhost", PRINTABLE.replace("'", "")),
    "smbclient": (lambda it: f"smbclient -U bot%{it} //files/share", PLAIN + "#@:/!+"),
    "Python": (lambda it: f"auth = ('bot', {it!r})", PLAIN + "#@:/!+"),
}  # fmt: skip
WORDS = ("localhost", "production", "true", "5432", "password")


@pytest.mark.no_cover
@pytest.mark.parametrize("form", [*FORMS, *UNNAMED])
@given(data=st.data())
def test_a_password_is_hidden_whatever_it_is_written_in(form: str, data: st.DataObject) -> None:
    write, characters = {**FORMS, **UNNAMED}[form]
    # The first and last of real ones are no marks of these languages; six characters are what is hidden at all.
    edge = st.sampled_from(PLAIN if form in FORMS else string.digits)
    middle = st.text(characters, min_size=5, max_size=20)
    password = "aZ" + data.draw(middle) + data.draw(edge)
    found = parts("VCAP_SERVICES" if form == "VCAP_SERVICES" else "SECRET", write(password))
    mask = Masker(found.hidden).mask
    shown = mask(f"it is {password}.")
    assert shown == "it is [secret].", (write(password), found)
    assert not found.opaque
    shown = mask(" ".join(WORDS))
    assert shown == " ".join(WORDS), (write(password), found)


@pytest.mark.parametrize("password", ["aZ00://a", "a:b://c@d/1", "/x://a#b", "aZ 1://a:b", "jdbc:x://1"])
def test_a_password_that_looks_like_a_url_is_hidden(password: str) -> None:
    hidden = parts("SECRET", f"shop:{password}@tcp(db:3306)/shop?parseTime=true").hidden
    assert Masker(hidden).mask(f"it is {password}.") == "it is [secret]."
    assert (
        Masker(parts("SECRET", "postgres://shop:hunter22@db/shop").hidden).mask("postgres://shop") == "postgres://shop"
    )


@given(value=st.text("a1,;\t|='\"{}()[]:-p/@ \n<>%", max_size=300), key=st.sampled_from(["DATA", "PASSWORD", "a,b"]))
def test_what_is_hidden_of_a_value_grows_as_the_value_does(value: str, key: str) -> None:
    found = parts(key, value)
    assert len(found.hidden) == len(set(found.hidden)) <= 2 * len(value) + 1
    assert "" not in found.short, "what is named in a warning has a name"


@pytest.mark.parametrize("form", FORMS)
def test_a_password_that_is_too_short_is_named(form: str) -> None:
    write, _ = FORMS[form]
    found = parts("VCAP_SERVICES" if form == "VCAP_SERVICES" else "SECRET", write("ab1"))
    assert found.short and "ab1" not in found.hidden


@given(value=st.text(max_size=300), key=st.text(min_size=1, max_size=9))
def test_every_value_is_hidden_as_a_whole_and_by_lines(value: str, key: str) -> None:
    hidden = parts(key, value).hidden
    masked = Masker(hidden).mask
    for text in (value.strip(), *(line.strip() for line in value.splitlines())):
        assert len(text) < 6 or masked(text) == "[secret]" or text in "[secret]"


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        ("postgres://shop_user1:hunter22@db.internal:5432/shop?sslmode=require", ["shop_user1", "require", "postgres"]),
        ("Server=db.internal;Port=54321;User Id=shop_user1;Password=hunter22", ["db.internal", "54321", "shop_user1"]),
        ("DB_HOST=db.internal\nNODE_ENV=production\nLOG_LEVEL=verbose\nTOKEN=hunter22", ["production", "db.internal"]),
        ("machine git.example login shop_bot1 password hunter22", ["git.example", "shop_bot1"]),
        ("User name,Access key ID,Secret access key\nbot,AKIA12345,hunter22\n", ["access", "denied access key"]),
        (
            "mysqldump -h db.internal -u shop -phunter22 | gzip -c > shop.gz\nfind . -print0 -path x",
            ["print0", "db.internal"],
        ),
        (
            "app -port=54321 -host=db.internal --auth-user shop_bot1 -p 8080:80 -password=hunter22",
            ["54321", "shop_bot1"],
        ),
        ("[client]\npassword = hunter22\nnote = a, b; c\n", ["client]", "password ="]),
    ],
)
def test_places_people_and_words_stay_readable(value: str, readable: list[str]) -> None:
    masked = Masker(parts("SECRET", value).hidden).mask
    assert masked("hunter22") == "[secret]"
    for text in readable:
        assert masked(f"to {text} now") == f"to {text} now"


def test_of_vcap_services_only_credentials_are_hidden() -> None:
    bound = bindings.Bound("shop-database", {"uri": "pg://u:p%40ssword@h/d", "pin": "123", "port": 5432}, "postgresql")
    text = bindings.vcap_services(("a.b", "ns", "shop"), [bound])
    found = parts("VCAP_SERVICES", text)
    masked = Masker(found.hidden).mask
    assert masked("shop-database postgresql p@ssword p%40ssword") == "shop-database postgresql [secret] [secret]"
    assert found.short == ["pin"]


@pytest.mark.parametrize(
    ("value", "short"),
    [("ab1", ["PIN"]), ("  ab1\n", ["PIN"]), ("", []), ("codes\nalpha-1\nb-2\n", ["a line of PIN"]), ("{}", ["PIN"]),
     ('{"port": 5432, "on": true, "user": "me"}', []), ("docker run -u app:web -p 8080:80 nginx", []),
     ("-----BEGIN KEY-----\nabcdefgh\nabc=\n-----END KEY-----", [])],
)  # fmt: skip
def test_what_is_too_short(value: str, short: list[str]) -> None:
    assert parts("PIN", value).short == short


@pytest.mark.parametrize(
    ("value", "short"), [("{}", []), ('{"l": [{"credentials": {"pin": "ab1", "user": "me"}}]}', ["pin"])]
)
def test_of_services_only_credentials_are_too_short(value: str, short: list[str]) -> None:
    assert parts("VCAP_SERVICES", value).short == short


@pytest.mark.parametrize(
    ("value", "opaque"),
    [
        ("correct horse battery staple", False),
        ("{x9!" + "y" * 20, False),
        ('{"password": "hunter22", "broken": ' + "x" * 40, False),
        ('{"user-provided": [{"name": "files", "label": "user-provided", "credentials": {}}]}', False),
        ('[{"user": "me", "on": true, "password": "short"}, {"none": null}, {"nothing": {}}]', False),
        ("{" + "x" * 60, True),
        ("keystore \ufffd\ufffd\ufffd of bytes", True),
        ("two\x00bytes of \x01 a file", True),
        ("line of text " * 6000, True),
        ("-----BEGIN CERTIFICATE-----\n" + "MIIEvQabcdef\n" * 6000, False),
    ],
)
def test_what_nobody_can_take_apart_is_known(value: str, opaque: bool) -> None:
    assert parts("FILE", value).opaque is parts("VCAP_SERVICES", value).opaque is opaque


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "unit", ["a=b;", '"', "a-", "{", "a:", "@", "://u:", "<a ", "password ", "\\", "a = '", "- ", "[\n",
     "a,1;", '"a",', "a\t\n", '{a,"', "('a','b',", "-p1 ", "--key ", "-u a:", "-p'", "=>"],
)  # fmt: skip
def test_a_value_of_any_size_costs_seconds_at_most(unit: str) -> None:
    for size in (60_000, 1_000_000):
        begun = time.process_time()
        parts("K", (unit * size)[:size])
        assert time.process_time() - begun < 10
