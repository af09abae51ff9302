from pathlib import Path

from adapters.simulator.ports import listening_socket


def test_a_port_is_remembered_while_it_is_free(tmp_path: Path) -> None:
    with listening_socket(tmp_path, "http") as first, listening_socket(tmp_path, "imap") as other:
        port, others = first.getsockname(), other.getsockname()
    assert port != others
    with listening_socket(tmp_path, "http") as again:
        assert again.getsockname() == port
        with listening_socket(tmp_path, "http") as moved:
            assert moved.getsockname() != port
            new = moved.getsockname()
    with listening_socket(tmp_path, "http") as last:
        assert last.getsockname() == new
