"""Rules that hold for every text, amount and variable, and files as editors and people save them."""

# ruff: noqa: E501 - messages stand here as a person reads them

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.manifest import document, loading, substitution
from kf_tasks.core.manifest.nodes import Secret, Text, plain
from kf_tasks.core.manifest.substitution import Substitution

from ...steps import steps

calm = settings(deadline=None, max_examples=60)  # a shared machine may be slow
HEAD = "applications:\n- name: a\n  image: i\n  task: true\n"
characters = st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufeff\x85\u2028\u2029\ufffe\uffff")
texts = st.text(characters, max_size=40)
names = st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True).filter(
    lambda name: not name.startswith(("VCAP_", "VMC", "KF_")) and name != "PORT"
)
digits = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True)


def env_of(written: str, **variables: object) -> loading.Manifest:
    return loading.parse(f"{HEAD}  env:\n    V: {written}\n", variables=variables)


@calm
@given(texts)
def test_a_quoted_text_arrives_as_it_is_and_without_a_warning(text: str) -> None:
    found = env_of(f"'{text.replace(chr(39), chr(39) * 2)}'") if "((" not in text else None
    if found:
        assert found.applications[0].env == {"V": text} and not found.warnings


@calm
@given(st.dictionaries(names, texts.filter(lambda text: "((" not in text), max_size=8))
def test_what_a_yaml_tool_writes_is_read_back(env: dict[str, str]) -> None:
    written = yaml.safe_dump(
        {"applications": [{"name": "a", "image": "i", "task": True, "env": env}]}, allow_unicode=True
    )
    found = loading.parse(written)
    assert found.applications[0].env == env and not found.warnings


@calm
@given(st.from_regex(r"[-+.:_0-9eExXobaA]{1,12}|true|True|TRUE|yes|No|on|OFF|0[0-7]{1,6}", fullmatch=True))
def test_an_unquoted_scalar_stays_and_warns_exactly_where_typing_would_change_it(text: str) -> None:
    try:
        typed = yaml.safe_load(f"V: {text}")["V"]
    except (yaml.YAMLError, ValueError, TypeError):
        return
    if not isinstance(typed, (dict, list)) and typed is not None:
        found = env_of(text)
        assert found.applications[0].env == {"V": text}
        said = str(typed).lower() if isinstance(typed, bool) else str(typed)
        date = not isinstance(typed, (str, int, float))
        assert bool(found.warnings) == (date or said != text)


@calm
@given(digits, st.sampled_from("kKmMgG"), st.sampled_from(["", "B", "b"]), st.sampled_from(["", " "]))
def test_amounts_are_whole_mebibytes_at_most_what_was_written(number: str, unit: str, byte: str, blank: str) -> None:
    written = Decimal(number) * 1024 ** ("KMG".index(unit.upper()) + 1)
    text = f"{HEAD}  memory: {number}{blank}{unit}{byte}\n"
    try:
        found = loading.parse(text)
    except InvalidInput:
        assert written < 1024**2 or written >= 1024**5
        return
    canonical = found.applications[0].memory or ""
    amount = int(canonical[:-2]) * 1024 ** ("KMGT".index(canonical[-2]) + 1)
    assert amount == (written if Decimal(number) % 1 == 0 else written // 1024**2 * 1024**2)
    assert ["cut down from" in warning for warning in found.warnings] == [True] * (amount != written)
    assert loading.parse(f"{HEAD}  memory: {canonical}\n").applications[0].memory == canonical


@calm
@given(st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,3})?", fullmatch=True))
def test_a_number_without_a_unit_is_refused(number: str) -> None:
    for key in ("memory", "disk_quota", "disk-quota"):
        with pytest.raises(InvalidInput, match=f"line 5: application 'a': {key}: .* a number with a unit"):
            loading.parse(f"{HEAD}  {key}: {number}\n")


@calm
@given(texts, texts, texts)
def test_a_variable_is_inserted_as_it_is(before: str, value: str, after: str) -> None:
    before, after = before.replace("(", "").replace("$", ""), after.replace("(", "").replace(")", "")
    quoted = f"{before}((v)){after}".replace("'", "''")
    found = env_of(f"'{quoted}'", v=value).applications[0].env
    assert found == {"V": f"{before}{value}{after}"}


@calm
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8))  # fmt: skip
def test_a_whole_variable_keeps_its_type(value: object) -> None:
    found = document.read("v: ((v))", "m.yml", Substitution({"v": value}))
    assert plain(found.data, typed=True) == {"v": value}


@calm
@given(
    texts.filter(lambda text: len(text) > 3 and text not in HEAD),
    st.sampled_from(["image", "command", "memory", "keep", "zzz"]),
)
def test_a_secret_is_in_no_message(value: str, key: str) -> None:
    text = "applications:\n- name: a\n  image: i\n".replace("  image: i\n", "" if key == "image" else "  image: i\n")
    with pytest.raises(InvalidInput) as refused:
        loading.parse(f"{text}  {key}: x((s))y\n", variables={"s": Secret(f"<{value}>")})
    assert f"<{value}>" not in str(refused.value) and f"{key}: holds the secret ((s))" in str(refused.value)


def test_a_file_as_windows_saves_it(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    text = f"{HEAD}  env:\n    A: |\n      one\n      two\n    B: 0755\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    found = loading.load(path)
    assert found.applications == loading.parse(text).applications
    assert found.applications[0].env == {"A": "one\ntwo\n", "B": "0755"}
    assert found.warnings == [
        "manifest.yml: line 9: application 'a': env.B: stays '0755', but other tools give 493, because it is unquoted: quote it"
    ]
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(InvalidInput, match="line 1 is no UTF-8: save the file as UTF-8"):
        loading.load(path)


def test_the_order_of_a_file_has_no_effect() -> None:
    parts = ["  env: {A: 1, B: 2}\n", "  services: [x, {name: b}, a]\n", "  memory: 1G\n"]
    other = ["  env: {B: 2, A: 1}\n", "  services: [a, {name: b}, x]\n", "  memory: 1G\n"]
    made = [
        loading.parse(HEAD + "".join(chosen)).applications
        for lines in (parts, other)
        for chosen in itertools.permutations(lines)
    ]
    assert all(one == made[0] for one in made)
    assert [one.model_dump_json() for one in made[0][0].services] == [
        f'{{"name":"{name}","binding_name":null,"parameters":{{}}}}' for name in ("a", "b", "x")
    ]


def test_what_one_application_gets_does_not_reach_another() -> None:
    found = loading.parse(
        "e: &e {A: 1}\napplications:\n- {name: a, image: i, env: *e}\n- {name: b, image: i, env: *e}\n"
    )
    found.applications[0].env["A"] = "changed"
    assert found.applications[1].env == {"A": "1"}


@pytest.mark.parametrize("part", ["$((", "$((1", "$(( ) ", "((", "((a", "$((1))"])
def test_the_work_grows_with_the_text_and_not_with_its_square(part: str) -> None:
    def work(times: int) -> int:
        return steps(lambda: Substitution({}).insert(Text(part * times), 1, lambda what, said: None))

    assert work(2000) < 3 * work(1000)


@calm
@given(st.text("$()1+", max_size=24))
def test_arithmetic_ends_where_its_parentheses_are_closed(text: str) -> None:
    for start in range(len(text)):
        if text.startswith("$((", start):
            depth, end = 0, start + 3
            for at in range(start + 1, len(text)):
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                if depth == 0:
                    end = at + 1 if text[at - 1] == ")" else end
                    break
            assert substitution._end_of_arithmetic(text, start, substitution._closing(text)) == end


def test_long_values_in_many_places_are_refused() -> None:
    value = "x" * (substitution.MOST_INSERTED // 10)
    lines = "".join(f"    V{nth}: a((v))\n" for nth in range(20))
    with pytest.raises(InvalidInput, match="manifest.yml: line 1[56]: the values of variables make more than"):
        loading.parse(f"{HEAD}  env:\n{lines}", variables={"v": value})


@pytest.mark.no_cover
def test_an_alias_bomb_of_merges_is_refused() -> None:
    bomb = "a0: &a0 {k: v}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
    )
    with pytest.raises(InvalidInput, match="too many or too deeply nested aliases"):
        loading.parse(bomb + HEAD)


def test_a_map_that_merges_itself_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too many or too deeply nested aliases"):
        loading.parse(f"a: &a {{<<: *a, k: v}}\n{HEAD}")


def test_numbers_of_any_length_arrive() -> None:
    long = "9" * 5000
    assert env_of(long).applications[0].env == {"V": long}
    assert env_of(f"0x{'f' * 5000}").applications[0].env["V"].startswith("0xff")


def test_a_process_of_type_task_comes_before_the_application() -> None:
    text = (
        HEAD
        + "  command: [a]\n  args: [b]\n  memory: 1G\n  cpu: 1\n  processes:\n  - {type: task, command: c, memory: 2G}\n"
    )
    seen = loading.parse(text).applications[0].for_tasks
    assert (seen.command, seen.args, seen.memory, seen.cpu) == ("c", None, "2Gi", "1")
    without = loading.parse(text.replace("type: task", "type: web")).applications[0]
    assert without.for_tasks is without


def test_services_that_are_not_known_are_not_checked() -> None:
    text = f"{HEAD}  services: [x]\n"
    assert loading.parse(text).applications[0].services[0].name == "x"
    with pytest.raises(
        InvalidInput, match="service 'x': nobody declares it .declared: none.: declare it in kf:services"
    ):
        loading.parse(text, services=[])
    assert loading.parse(text, services=["x"]).applications


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: ((b))\n", {"a": "((b))"}),
        ("a: 0012\nb: 60.2\nc: [1]\n", {"a": "0012", "b": "60.2", "c": ["1"]}),
        ("", {}),
        ("[a]", "v.yml cannot be used: write keys and values into it, such as 'name: value'"),
        ("a: 1\na: 2\n", "v.yml cannot be used:\n  line 2: key 'a' is given twice, first in line 1: keep one"),
    ],
)
def test_files_of_variables(tmp_path: Path, content: str, said: object) -> None:
    (tmp_path / "v.yml").write_text(content)
    if isinstance(said, str):
        with pytest.raises(InvalidInput) as error:
            loading.values(tmp_path / "v.yml")
        assert str(error.value) == said
    else:
        assert loading.values(tmp_path / "v.yml") == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('command: "a\\0b"', "command: holds a NUL byte, which no process can be given: leave it out"),
        ('args: [a, "\\0"]', "args: holds a NUL byte, which no process can be given: leave it out"),
        (
            'command: "\\ud83d"',
            "command: holds half of a character (a surrogate), which is no text: write the whole one",
        ),
        (
            "command: ((half))",
            "command: holds half of a character (a surrogate), which is no text: write the whole one",
        ),
    ],
)
def test_bytes_that_no_process_can_be_given(line: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        loading.parse(f"{HEAD}  {line}\n", variables={"half": "\ud83d"})
    assert str(refused.value) == f"manifest.yml cannot be used, it has 1 problem:\n  line 5: application 'a': {said}"


def test_tags_that_do_not_fit() -> None:
    assert env_of("!!bool perhaps").applications[0].env == {"V": "perhaps"}
    assert env_of("!!int ''").applications[0].env == {"V": ""}
    assert env_of("!!int x").applications[0].env == {"V": "x"}
