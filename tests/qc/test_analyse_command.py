"""`slipring qc analyse`: one JSON object, pictures elsewhere, bad files named and the others still done."""

import json
import math
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from slipring.qc.image import lettering
from slipring.qc.image.analysis import analyse
from slipring.qc.image.command import qc_commands
from slipring.qc.image.description import described
from slipring.qc.image.limits.book import KINDS
from slipring.qc.image.picture import draw, headings, name_of
from slipring.qc.image.reading import read_slices
from slipring.qc.image.result import Measured
from slipring.qc.image.words import book
from typer.testing import CliRunner, Result

from tests.support.phantoms import Phantom


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def kept(folder: Path, name: str, **said: Any) -> Path:
    folder.mkdir(exist_ok=True)
    Phantom(**{"matrix": 128, "blur_mm": 1.5} | said).dataset().save_as(folder / name, enforce_file_format=True)
    return folder / name


def run(*words: object) -> Result:
    return CliRunner().invoke(qc_commands, ["analyse", *map(str, words)])


def test_a_folder_is_one_occasion_and_a_file_is_named_by_itself(tmp_path: Path) -> None:
    for seed in (1, 2):
        kept(tmp_path / "monthly", f"{seed}.dcm", seed=seed, water_hu=seed)
    alone = kept(tmp_path / "others", "alone.dcm", seed=3, diameter_mm=160)
    done = run(tmp_path / "monthly", alone)
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ["monthly", "alone.dcm"]
    both = answer["monthly"]
    assert both["water_ct_number"] == pytest.approx(1.5, abs=0.8) and len(both["images"]) == 2
    assert len(both["uniformity"]) == 4 and len(both["centre_mm"]) == 2
    assert {"noise_sd", "noise_percent_10mm", "mtf50_per_mm", "mtf10_per_mm"} <= set(both)
    assert "slice_thickness_mm" not in both and "inserts" not in both  # what the images cannot give is absent
    one = answer["alone.dcm"]
    assert one["diameter_mm"] == pytest.approx(160, abs=0.5) and one["phantom"]["centre_mm"] == one["centre_mm"]
    water = next(result for result in one["results"] if result["item"] == "water_ct_number")
    assert water["unit"] == "HU" and water["uncertainty"] > 0
    assert water["regions"][0]["radius_mm"] == pytest.approx(7.4, abs=0.2)  # a tenth of 148 mm across
    verdict = next(said for said in one["verdicts"] if said["item"] == "water_ct_number")
    assert verdict["limit"]["id"] == "ws-519-2019.water_ct_number.constancy" and verdict["outcome"] == "no-baseline"
    pictures = [Path(one["picture"]), *(Path(image["picture"]) for image in both["images"].values())]
    for picture in pictures:
        with Image.open(picture) as opened:
            assert opened.size[1] >= 640 and len(opened.convert("RGB").getcolors(1 << 20) or []) > 100
    assert {picture.parent for picture in pictures} == {(tmp_path / "here" / "slipring-qc-pictures").resolve()}
    assert sorted(file.name for file in (tmp_path / "monthly").iterdir()) == ["1.dcm", "2.dcm"]


def test_a_folder_with_two_protocols_says_so(tmp_path: Path) -> None:
    for seed, thickness in ((1, 5.0), (2, 5.0), (3, 1.25)):
        kept(tmp_path / "day", f"{seed}.dcm", seed=seed, thickness_mm=thickness)
    flags = json.loads(run(tmp_path / "day", "--no-pictures").stdout)["day"]["flags"]
    assert [flag["code"] for flag in flags] == ["several-protocols"]
    (tmp_path / "day" / "3.dcm").unlink()
    assert json.loads(run(tmp_path / "day", "--no-pictures").stdout)["day"]["flags"] == []


def test_the_rise_of_the_ramps_of_another_phantom_is_said(tmp_path: Path) -> None:
    ramps = [(0.0, -40.0, 0.0, 600.0), (0.0, 40.0, 0.0, 600.0)]
    file = kept(tmp_path / "ramps", "one.dcm", matrix=256, ramps=ramps)
    by_default = json.loads(run(file, "--no-pictures").stdout)["one.dcm"]["slice_thickness_mm"]
    said = json.loads(run(file, "--no-pictures", "--ramps", "45").stdout)["one.dcm"]["slice_thickness_mm"]
    assert by_default == pytest.approx(5, rel=0.05) and said * math.tan(math.radians(23)) == pytest.approx(
        by_default, rel=0.001
    )
    assert run(file, "--ramps", "90").exit_code == 2


def test_bad_files_are_named_and_the_others_still_done(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    kept(folder, "good.dcm")
    kept(folder, "cut.dcm", field_mm=180.0)
    (folder / "noise.dcm").write_bytes(b"no picture at all")
    done = run(folder, tmp_path / "nowhere", "--no-pictures")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)["mixed"]
    assert answer["is_phantom"] and "water_ct_number" in answer
    assert {name: said["code"] for name, said in answer["refused"].items()} == {
        "cut.dcm": "clipped",
        "noise.dcm": "not-dicom",
    }
    assert all(name in done.stderr for name in ("cut.dcm", "noise.dcm", "nowhere"))
    assert list((tmp_path / "here").iterdir()) == []


def test_what_is_no_phantom_is_said_so_and_gets_no_picture(tmp_path: Path) -> None:
    file = kept(tmp_path / "x", "air.dcm", water_hu=-1000, wall_mm=0)
    done = run(file)
    answer = json.loads(done.stdout)["air.dcm"]
    assert done.exit_code == 1 and answer["is_phantom"] is False and set(answer) == {"is_phantom", "refused"}
    assert list((tmp_path / "here").iterdir()) == []


def test_an_earlier_answer_is_the_baseline_of_the_next(tmp_path: Path) -> None:
    file = kept(tmp_path / "x", "a.dcm")
    first = run(file, "--no-pictures").stdout
    (tmp_path / "baseline.json").write_text(first, "utf-8")
    worse = kept(tmp_path / "y", "a.dcm", water_hu=9, noise_hu=6)
    done = run(worse, "--baseline", tmp_path / "baseline.json", "--no-pictures")
    outcomes = {said["item"]: said["outcome"] for said in json.loads(done.stdout)["a.dcm"]["verdicts"]}
    assert outcomes["water_ct_number"] == outcomes["noise_percent_10mm"] == "fail"
    assert outcomes["uniformity"] == "pass" and outcomes["high_contrast"] == "within" and done.exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--edition", "ws-1"], "no edition"),
        (["--kind", "daily"], "no kind"),
        (["--baseline", "none.json"], "cannot be read"),
        (["--pictures", "{folder}/p"], "among the images"),
    ],
)
def test_wrong_use_is_told_with_code_2(words: list[str], said: str, tmp_path: Path) -> None:
    folder = kept(tmp_path / "x", "a.dcm").parent
    done = run(folder, *(word.format(folder=folder) for word in words))
    assert done.exit_code == 2 and said in done.stderr and done.stdout == ""


def test_an_empty_folder_is_told_with_code_2(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 2


def codes(tree: Any) -> Any:
    """An answer without its words: what programs read."""
    if isinstance(tree, dict):
        return {name: codes(value) for name, value in tree.items() if name not in ("text", "note", "picture")}
    return [codes(value) for value in tree] if isinstance(tree, list) else tree


def texts(tree: Any) -> list[str]:
    """The words of an answer."""
    if isinstance(tree, dict):
        here = [value for name, value in tree.items() if name in ("text", "note")]
        return here + [text for value in tree.values() for text in texts(value)]
    return [text for value in tree for text in texts(value)] if isinstance(tree, list) else []


def chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_texts_follow_the_option_then_the_terminal_and_keys_and_codes_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept(tmp_path / "x", "good.dcm", centre_mm=(25.0, 0.0), diameter_mm=150).parent
    kept(folder, "cut.dcm", field_mm=180.0)
    words = [folder, tmp_path / "nowhere", "--no-pictures"]
    english = run(*words)
    asked = run(*words, "--language", "zh")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    terminal, back = run(*words), run(*words, "--language", "en")
    assert asked.stdout == terminal.stdout and asked.stderr == terminal.stderr and back.stdout == english.stdout
    assert "cut.dcm：模体被视野边缘截断（clipped）。" in asked.stderr and "不存在" in asked.stderr
    tree, other = json.loads(asked.stdout), json.loads(english.stdout)
    assert codes(tree) == codes(other)
    said = {one["item"]: one for one in tree["x"]["verdicts"]}
    assert (said["water_ct_number"]["outcome"], said["water_ct_number"]["text"]) == ("no-baseline", "无基线值")
    assert {"off-centre"} <= {flag["code"] for flag in tree["x"]["flags"]} and len(texts(tree)) > 5
    assert all(map(chinese, texts(tree))) and not any(map(chinese, texts(other)))
    assert english.exit_code == asked.exit_code == 1 and run(*words, "--language", "fr").exit_code == 2


def test_wrong_use_is_told_in_chinese_too(tmp_path: Path) -> None:
    folder = kept(tmp_path / "x", "a.dcm").parent
    for wrong in (["--edition", "ws-1"], ["--kind", "daily"], ["--baseline", "none.json"], ["--pictures", folder]):
        done = run(folder, *wrong, "--language", "zh")
        assert done.exit_code == 2 and chinese(done.stderr) and done.stdout == ""


def test_pictures_are_captioned_in_chinese_where_a_font_is_and_in_english_where_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kept(tmp_path / "x", "a.dcm")
    analysed = analyse(next(read_slices(file)))
    assert analysed.measured and all(
        chinese(name_of(one, "zh")) or "MTF" in name_of(one, "zh") for one in analysed.measured
    )
    assert headings(analysed, "zh")[0].startswith("中心") and headings(analysed, "en")[0].startswith("centre")
    drawn: dict[str, bytes] = {}
    for language in ("en", "zh"):
        draw(analysed, (), "a", tmp_path / f"{language}.png", language)
        drawn[language] = (tmp_path / f"{language}.png").read_bytes()
    assert (drawn["zh"] == drawn["en"]) == (lettering.written("zh") == "en")
    monkeypatch.setattr(lettering, "_chinese", lambda: None)
    draw(analysed, (), "a", tmp_path / "none.png", "zh")
    assert (tmp_path / "none.png").read_bytes() == drawn["en"]
    done = run(file, "--language", "zh")
    assert done.exit_code == 0 and "未找到中文字体" in done.stderr


def test_every_word_is_there_in_both_languages() -> None:
    said = [entry for group, entries in book().items() if group != "font" for entry in entries.values()]
    assert all(set(entry) == {"en", "zh"} and all(entry.values()) for entry in said) and len(said) > 50


def test_every_item_material_and_kind_has_a_name() -> None:
    sources = "".join(file.read_text("utf-8") for file in Path(str(resources.files("slipring.qc.image"))).glob("*.py"))
    items = set(re.findall(r'Measured\(\s*"([a-z0-9_]+)"', sources))
    assert len(items) > 15 and items <= set(book()["item"])
    told = described()
    phantoms = [one for phantom in told.phantoms.values() for one in phantom.get("material", ())]
    assert {one["name"] for one in (*told.materials, *phantoms)} <= set(book()["material"])
    assert set(KINDS) == set(book()["kind"])
    second = Measured("insert", 990.0, "HU", "", more={"name": "teflon-2"})
    assert (name_of(second, "zh"), name_of(second, "en")) == ("插件 聚四氟乙烯-2", "insert teflon-2")
