"""Orders in HL7 v2 as a RIS writes them, for patients who do not exist (IHE RAD-4)."""

MSH_ORM = "MSH|^~\\&|RIS|RADIOLOGIA|PACS|DIAFANA|20261129101500||ORM^O01^ORM_O01|M1|P|2.3.1||||||8859/1"
MSH_OMI = (
    "MSH|^~\\&|RIS|RADIOLOGIA|PACS|DIAFANA|20261129101500||OMI^O23^OMI_O23|M2|P|2.5.1||||||UNICODE UTF-8"
)

# The hospital's own number, then the codice fiscale
PID = (
    "PID|1||PZ4711^^^OSP&2.999.1&ISO^PI~DLANCL80A01H501X^^^MEF&2.16.840.1.113883.2.9.4.3.2&ISO^NNITA"
    "||D'Alò^Niccolò^Maria^^Dott.||19800101|M"
)
PV1 = "PV1|1|I|MED^12^3|||||991^Verdè^Lucìa|||||||B6||||RIC77^^^OSP&2.999.1&ISO"

ORC = "ORC|{control}|PLC1001^CUP|FIL2001^RIS||{status}||1^^^202611300830^^S||20261129101500"
OBR = (
    "OBR|1|PLC1001^CUP|FIL2001^RIS|CTTOR^TC del torace^99NOM^PTOR^Torace senza mdc^99PROT|||||||||Pacemaker"
    "|||301^Bianchi^Ugo||ACC1001|RP1001|SPS1001|CT1|||CT||||||WALK|^Nodulo polmonare|||501&Neri&Anna"
    "||||||||||87.41^TC torace^99NOM"
)
ZDS = "ZDS|2.999.77.1^RIS^Application^DICOM"

OMI_ORC = "ORC|{control}|PLC3001^CUP|FIL3001^RIS||{status}"
TQ1 = "TQ1|1||||||20261201091500||R"
OMI_OBR = (
    "OBR|1|PLC3001^CUP|FIL3001^RIS|RMENC^RM dell'encefalo^99NOM||||||||||||301^Bianchi^Ugo"
    "||||||||||||||||||||||||||||88.91.1^RM encefalo^99NOM"
)
IPC_1 = (
    "IPC|ACC3001^RIS^2.999.2^ISO|RP3001|2.999.77.3|SPS3001|MR^Risonanza^DCM"
    "|PENC^Encefalo basale^99PROT|RM1|^Sala 3|RM1AE"
)
IPC_2 = (
    "IPC|ACC3001^RIS^2.999.2^ISO|RP3001|2.999.77.3|SPS3002|MR^Risonanza^DCM"
    "|PENCC^Encefalo con mdc^99PROT|RM1|^Sala 3|RM1AE"
)


def orm(control: str = "NW", status: str = "", **replaced: str) -> bytes:
    """An ORM^O01, in Latin-1.  replaced: texts put in the place of others, by the name of a segment."""
    return _message((MSH_ORM, PID, PV1, ORC, OBR, ZDS), control, status, replaced).encode("latin-1")


def omi(control: str = "NW", status: str = "", **replaced: str) -> bytes:
    """An OMI^O23 of two steps, in UTF-8."""
    segments = (MSH_OMI, PID, PV1, OMI_ORC, TQ1, OMI_OBR, IPC_1, IPC_2)
    return _message(segments, control, status, replaced).encode()


def _message(segments: tuple[str, ...], control: str, status: str, replaced: dict[str, str]) -> str:
    kept = [replaced.get(segment[:3], segment) for segment in segments]
    filled = (segment.replace("{control}", control).replace("{status}", status) for segment in kept)
    return "".join(f"{segment}\r" for segment in filled if segment)
