"""What the back-office systems say about a complaint: for each kind of matter, the systems that know it are asked.

A diagnosis has either a solution that an agent may approve, or the unit that repairs, with one line of evidence for
each system asked. Texts for the customer are in the case's language.

Held by `tests/tasks/test_handle_complaint.py`.
"""

import math
from zoneinfo import ZoneInfo

from models.errors import Refused
from models.facts import LineQuality, Resource, Traffic
from models.need import Diagnosis, Need, Solution
from tasks.run.moments import believed, doubt
from tasks.run.work import Work
from tasks.serve_complaint import Complaint

BILLING = {"billing_amount", "payment", "compensation", "bill_copy"}
LINE = {"no_service", "slow", "intermittent", "voice_fault", "tv_fault", "device"}
LINK_PRODUCTS = {"astinet", "vpn_ip", "metro_ethernet", "managed_wifi"}
FULL = 0.9
"""Share of a link's capacity above which it counts as full (our inference)."""

QUALITY = {
    LineQuality.GOOD: "baik",
    LineQuality.FAIR: "cukup",
    LineQuality.BAD: "buruk",
    LineQuality.NOT_APPLICABLE: "tidak diukur (serat optik)",
    LineQuality.UNKNOWN: "tidak diketahui",
}
ACCESS, CORE, BILLS = 0, 1, 2
"""Indexes of the units in the setting ``policy.units``."""

SOLUTIONS = {
    "paid": {
        "id": Solution(
            cause="Pembayaran Bapak/Ibu memerlukan waktu sampai tercatat di sistem tagihan",
            repair="Sudah kami periksa: semua tagihan tercatat lunas, tidak ada tunggakan, dan layanan Bapak/Ibu aktif",
        ),
        "en": Solution(
            cause="Your payment took some time to be recorded in the billing system",
            repair="We checked: all your bills are recorded as paid, nothing is overdue, and your service is active",
        ),
    },
    "line_good": {
        "id": Solution(
            cause="Hasil ukur jaringan sampai ke rumah Bapak/Ibu normal; gangguan berasal dari sisi perangkat",
            repair="Jaringan sudah kami ukur dan normal; mohon matikan ONT/modem 30 detik lalu nyalakan kembali",
        ),
        "en": Solution(
            cause="The line to your premises measures well; the disturbance comes from the equipment",
            repair="We measured the line and it is good; please switch the ONT/modem off for 30 seconds and on again",
        ),
    },
    "link_full": {
        "id": Solution(
            cause="Pemakaian link Bapak/Ibu pada satu jam terakhir mendekati kapasitasnya",
            repair="Link sudah kami ukur dan berfungsi; kapasitas dapat ditingkatkan sesuai kebutuhan",
        ),
        "en": Solution(
            cause="Traffic on your link in the last hour was close to its capacity",
            repair="We measured the link and it works; its capacity can be raised to what you need",
        ),
    },
}


def diagnose(work: Work, need: Need, complaint: Complaint) -> Diagnosis:
    """Ask the systems about this complaint.

    Raises:
        Unavailable: a system does not answer; the activity is tried again.
        Refused, BrokenAnswer: a person must look.
    """
    if need.topic in BILLING:
        return _billing(work, need, complaint)
    if LINK_PRODUCTS & set(need.products) or need.topic == "link_quality":
        return _link(work, need, complaint)
    if need.topic in LINE:
        return _line(work, need, complaint)
    return _diagnosis(work, complaint, ACCESS, [])


def _billing(work: Work, need: Need, complaint: Complaint) -> Diagnosis:
    bills = work.systems.epayment.bills(need.customer_id)
    overdue = [bill for bill in bills if bill.overdue(work.now)]
    evidence = [f"E-Payment: {len(bills)} tagihan, {len(overdue)} lewat jatuh tempo"]
    unclear = sum(bill.unclear for bill in bills)
    if unclear:
        evidence.append(f"E-Payment: {unclear} tagihan tanpa sisa atau jatuh tempo")
    if need.topic != "payment" or not bills or overdue or unclear:
        return _diagnosis(work, complaint, BILLS, evidence)
    # a customer whose service is still off needs more than a letter that the bills are paid
    off = [one.service_id for one in work.systems.tenoss.services(need.customer_id) if one.state == "inactive"]
    evidence += [f"TENOSS: {service_id} belum aktif" for service_id in off]
    return _diagnosis(work, complaint, BILLS, evidence, "" if off else "paid")


def _line(work: Work, need: Need, complaint: Complaint) -> Diagnosis:
    disturbance = work.systems.nossa.open_disturbance(need.service_number)
    if disturbance is not None:
        word = f" (status {disturbance.status_word})" if disturbance.status_word else ""
        return _diagnosis(work, complaint, ACCESS, [f"NOSSA: gangguan massal {disturbance.ticket_id}{word}"])
    test = work.systems.embassy.measure(need.service_number, f"{work.case.reference}/{work.occurrence}")
    evidence = [f"EMBASSY: {QUALITY[test.quality]}, SNR {_db(test.snr_db)}, redaman {_db(test.attenuation_db)}"]
    now, opened_at = work.now, work.case.opened_at
    _, nonsense = believed(test.measured_at, earliest=opened_at, now=now)
    if nonsense is not None:
        zone = work.settings.zone_of(work.case.mailbox)
        evidence[0] += f"; {doubt('EMBASSY', nonsense, earliest=opened_at, now=now, zone=zone)}"
    # a measurement from before the complaint says nothing about it
    old = nonsense is not None and nonsense < opened_at
    solved = "line_good" if test.quality is LineQuality.GOOD and not old else ""
    return _diagnosis(work, complaint, ACCESS, evidence, solved)


def _db(value: float | None) -> str:
    return f"{value} dB" if value is not None and math.isfinite(value) else "tidak ada"


def _link(work: Work, need: Need, complaint: Complaint) -> Diagnosis:
    services = [one for one in work.systems.tenoss.services(need.customer_id) if one.service_id == need.service_number]
    evidence = [f"TENOSS: {one.service_id} {one.state}{', gagal' if one.failed else ''}" for one in services]
    resources = [
        resource
        for service in services
        for identifier in service.resources
        for resource in work.systems.telkom_center.topology(identifier)
    ]
    down = [one for one in resources if one.operational is False]
    evidence += [f"TELKOM.CENTER: {one.name} mati" for one in down]
    evidence += _device(work, resources)
    full = False
    for target in {one.traffic_target for one in resources if one.traffic_target}:
        try:
            traffic = work.systems.mrtg.traffic(target)
        except Refused as error:
            evidence.append(_not_read(error))
            continue
        if traffic is not None:
            # only a measured hour counts: a repeated value does not show whether the link is full
            full = full or any(share is not None and share >= FULL for share in (traffic.in_share, traffic.out_share))
            evidence.append(_told(traffic, work.settings.zone_of(work.case.mailbox)))
    failed = bool(down) or any(one.failed for one in services)
    return _diagnosis(work, complaint, CORE, evidence, "link_full" if full and not failed else "")


def _told(traffic: Traffic, zone: ZoneInfo) -> str:
    """A line about the traffic, with the times that are not known."""
    if traffic.state == "stale":
        return f"MRTG: tidak diperbarui sejak {traffic.measured_at.astimezone(zone):%d-%m-%Y %H:%M}"
    if traffic.state == "measured":
        return f"MRTG: satu jam terakhir terukur{_used(traffic.in_share, traffic.out_share)}"
    periods = ", ".join(
        f"{since.astimezone(zone):%H:%M}–{until.astimezone(zone):%H:%M}" for since, until in traffic.unknown
    )
    line = f"MRTG: tidak diketahui {periods} (tidak terukur, atau nilai yang diulang MRTG)"
    if traffic.latest is None:
        return line
    return f"{line}; interval terakhir terukur{_used(traffic.latest.in_share, traffic.latest.out_share)}"


def _used(*shares: float | None) -> str:
    known = [share for share in shares if share is not None]
    return f", {max(known):.0%} dari kapasitas" if known else ""


def _not_read(error: Refused) -> str:
    """A line about a device or log that cannot be read; the other systems are still asked."""
    return f"{error} (tidak terbaca)"


def _device(work: Work, resources: list[Resource]) -> list[str]:
    """Read the state of the first port whose device has a session."""
    device = next((one.device for one in resources if one.device), None)
    port = next((one.name for one in resources if one.traffic_target), None)
    if device is None or port is None:
        return []
    try:
        reading = work.systems.securecrt.read_interface(device, port)
    except Refused as error:
        return [_not_read(error)]
    lines = reading.output.strip().splitlines()
    # an alarm may precede the answer
    line = next((line for line in lines if line.lower().startswith(port.lower())), lines[0])
    return [f"SecureCRT {device}: {line[:120]}"]


def _diagnosis(work: Work, complaint: Complaint, unit: int, evidence: list[str], solution: str = "") -> Diagnosis:
    units = work.settings.policy.units
    language = "en" if work.case.language == "en" else "id"
    return Diagnosis(
        solution=SOLUTIONS[solution][language] if solution else None,
        unit=units[min(unit, len(units) - 1)],
        evidence=tuple(evidence),
        severity=complaint.severity,
    )
