from pathlib import Path

import pytest

from adapters.simulator.seed_file import load_seed
from models.errors import SettingsError
from models.facts import Tier

GOOD = """\
{
  "mailboxes": [{"address": "layanan@telkom.example", "password": "p", "site": "JKT"}],
  "customers": [
    {"customer_id": "C-1", "name": "Budi \\"B\\" [", "addresses": [], "service_no": "1"},
    {
      "customer_id": "C-2",
      "name": "Siti",
      "addresses": ["siti@example.com"],
      "service_no": "2",
      "tier": "HVC_GOLD",
      "repairs": {
        "Access Network": {"hours": 2},
        "Core Network": {"hours": null}
      }
    }
  ]
}
"""


def load(folder: Path, text: str | bytes) -> str:
    """What is wrong, without the file's name."""
    file = folder / "seed.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        load_seed(file)
    return str(caught.value).replace(str(file), "FILE")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_good_file(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "seed.json"
    file.write_text(mark + GOOD, "utf-8")
    seed = load_seed(file)
    assert seed.customers[1].tier is Tier.GOLD
    assert seed.customers[1].repairs["Core Network"].hours is None


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("HVC_GOLD", "GOLD", "FILE line 10: customers[1].tier: Input should be 'HVC_VVIP'"),
        ('"tier"', '"teir"', "FILE line 10: customers[1].teir: Extra inputs are not permitted"),
        ('"name": "Siti",', "", "FILE line 5: customers[1].name: Field required"),
        ('{"hours": null}', '{"hours": "x"}', "FILE line 13: customers[1].repairs.Core Network.hours: Input"),
        ('["siti@example.com"]', '["a@example.com",\n1]', "FILE line 9: customers[1].addresses[1]: Input should be"),
        ('"C-2"', '"C-1"', "FILE line 3: customers: Value error, 2 customers have the customer_id 'C-1'"),
        (
            '"service_no": "2"',
            '"service_no": "1"',
            "FILE line 3: customers: Value error, 2 customers have the service_no",
        ),
        ('"siti@example.com"', '"siti"', "FILE line 8: customers[1].addresses[0]: String should match pattern"),
        ('{"hours": 2}', '{"hours": -2}', "FILE line 12: customers[1].repairs.Access Network.hours: Input should be"),
        ('"JKT"', '"SBY"', "FILE line 2: mailboxes[0].site: Input should be 'JKT' or 'BDG'"),
        ('"service_no": "1"}', '"service_no": 1}', "FILE line 4: customers[0].service_no: Input should be"),
        ('"Siti",', '"Siti"', "FILE line 8: Expecting ',' delimiter"),
        (GOOD, "", "FILE line 1: Expecting value"),
        (GOOD, "\n[]", "FILE line 2: the whole: Input should be"),
        (GOOD, "{}", "FILE line 1: customers: Field required"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    assert right in GOOD
    assert load(tmp_path, GOOD.replace(right, wrong)).startswith(says)


def test_every_problem_has_a_line_of_its_own(tmp_path: Path) -> None:
    problems = load(tmp_path, GOOD.replace("HVC_GOLD", "GOLD").replace('"hours": 2', '"hour": 2')).splitlines()
    assert [problem.split(": ")[0] for problem in problems] == ["FILE line 10", "FILE line 12"]


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.json: No such file or directory"):
        load_seed(tmp_path / "nowhere.json")
    assert load(tmp_path, b"\xff\xfe") == "FILE: the text is not UTF-8"
