"""Six people at the demo's desk, whose password is ready: a rehearsal's alone."""

from adapters.wiring import Systems
from models.author import Author
from models.staff import SignedIn
from tasks.desk.entrants import entrants_of
from tasks.desk.sign_in import change_password
from tasks.desk.staff import join

PASSWORD = "latihan-layanan"
PEOPLE = """name,email,roles,site,leader,deputy
Rina,rina@telkom.example,team_leader,,agus@telkom.example,agus@telkom.example
Sari,sari@telkom.example,agent_1,,rina@telkom.example,dewi@telkom.example
Dewi,dewi@telkom.example,agent_0,JKT,rina@telkom.example,tono@telkom.example
Tono,tono@telkom.example,monitoring,JKT,rina@telkom.example,
Agus,agus@telkom.example,supervisor,,,
Maya,maya@telkom.example,manager administrator,,,
"""


def hire(systems: Systems) -> list[str]:
    """Add them; what each of them signs in by, for whoever tries the demo."""
    joined = join(systems, entrants_of(PEOPLE), Author("demo", SignedIn.COMMAND_LINE))
    for one in joined:
        change_password(systems, one.staff.key, PASSWORD)
    who = [f"{one.staff.email} ({', '.join(role.value for role in sorted(one.staff.held))})" for one in joined]
    return [f"The desk: {systems.settings.desk.url}, password {PASSWORD}", *who]
