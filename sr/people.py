"""The persons of a report as FHIR R4 Practitioners, and what they are where as PractitionerRoles (ADR 26)."""

from collections import defaultdict
from typing import Any, NamedTuple

from sr.codes import Code
from sr.coding_schemes import DCM, CodingSchemes
from sr.names import component_groups, human_names
from sr.primitives import compact, stable_id, string

# Characters, as PS3.5 6.2 gives an LO value; told with every identifier
_LONGEST_NAME = 64
# Characters; a person is referred to thousands of times, and PS3.5 6.2 gives each group of a name 64 of them.
_LONGEST_DISPLAY = 200

_LOGIN = {"coding": [{"system": DCM, "code": "128774", "display": "Person Observer's Login Name"}]}
_NUMBER = {
    "coding": [{"system": DCM, "code": "128775", "display": "Identifier within Person Observer's Role"}]
}


class Person(NamedTuple):
    """A person as one place of a report tells of them; what it does not tell is empty.

    name: a PN value.  codes: that identify the person.  organization: of which they are, by name and by code.
    roles: in the organization and in the procedure.  number: which of several in that role.
    """

    name: str = ""
    codes: tuple[Code, ...] = ()
    login: str = ""
    organization: str = ""
    organization_code: Code | None = None
    roles: tuple[Code, ...] = ()
    number: str = ""


class People:
    """The persons that one report tells of, each once."""

    def __init__(self, schemes: CodingSchemes, institution: str, study: str) -> None:
        """institution: that wrote the report, "" when it is not told.  study: of the report.

        Local codes of persons are the institution's, not the equipment's; so are names, or else the study's.
        """
        self._schemes = schemes
        owner = string(institution)[:_LONGEST_NAME] or schemes.manufacturer
        self._identifying = CodingSchemes(owner, schemes.uids)
        self._place = institution or study
        self._made: dict[str, dict[str, Any]] = {}
        self._by_name: defaultdict[str, dict[str, str]] = defaultdict(dict)

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The Practitioners and PractitionerRoles of all who were referred to."""
        return list(self._made.values())

    def refer(self, person: Person) -> dict[str, Any]:
        """A reference to the Practitioner of a person; empty when nothing is said of who it is."""
        practitioner_id = self._identify(person)
        if not practitioner_id:
            return {}
        reference = f"Practitioner/{practitioner_id}"
        made = self._made.setdefault(reference, {"resourceType": "Practitioner", "id": practitioner_id})
        known: list[dict[str, Any]] = made.get("identifier", [])
        identifiers = [*known, *(one for one in self._identifiers(person) if one not in known)]
        names = made.get("name") or human_names(component_groups(_name(person)))
        made |= compact({"identifier": identifiers, "name": names})
        display = next((name["text"] for name in names), "")
        referring = compact(
            {"reference": reference, "type": "Practitioner", "display": display[:_LONGEST_DISPLAY]}
        )
        self._take_role(person, practitioner_id, referring)
        return referring

    def organization(self, person: Person) -> dict[str, Any]:
        """A reference to the organization of a person, by identifier and name; empty when it is not told."""
        code = person.organization_code
        identifier = self._coded(code) if code is not None else {}
        name = string(person.organization) or (string(code.label) if code is not None else "")
        return compact({"type": "Organization", "identifier": identifier, "display": name}) if name else {}

    def _identify(self, person: Person) -> str:
        """The id of a person: by code, as the one of this name in this report, by login, or by name."""
        name, organization = _folded(person.name), _folded(person.organization)
        place = organization or _folded(self._place)
        coded = next((one for one in map(self._coded, person.codes) if len(one) == 2), None)
        known = self._known(name, organization)
        if coded is not None:
            found = stable_id("practitioner", coded["system"], coded["value"])
        elif known:
            found = known
        elif person.login:
            found = stable_id("practitioner login", place, person.login)
        elif name:
            found = stable_id("practitioner name", place, name)
        else:
            return ""
        if name:
            self._by_name[name].setdefault(found, organization)
        return found

    def _known(self, name: str, organization: str) -> str:
        """The only one of this name in the report whose organization is not another."""
        found = [
            one
            for one, of in self._by_name.get(name, {}).items()
            if not organization or of in ("", organization)
        ]
        return found[0] if len(found) == 1 else ""

    def _identifiers(self, person: Person) -> list[dict[str, Any]]:
        login = {"type": _LOGIN, "value": string(person.login)}
        coded: list[dict[str, Any]] = [dict(self._coded(code)) for code in person.codes]
        return [one for one in (*coded, login) if one.get("value")]

    def _coded(self, code: Code) -> dict[str, str]:
        """A code that identifies someone as system and value of an Identifier."""
        codings: list[dict[str, str]] = self._identifying.concept(code).get("coding", [])
        coding = codings[0] if codings else {}
        return compact({"system": coding.get("system", ""), "value": coding.get("code", "")})

    def _take_role(self, person: Person, practitioner_id: str, referring: dict[str, Any]) -> None:
        organization = self.organization(person)
        if not (organization or person.roles):
            return
        codes = [self._schemes.concept(role) for role in person.roles]
        told = (organization.get("display", ""), *(code["text"] for code in codes), person.number)
        number = {"type": _NUMBER, "value": string(person.number)}
        role_id = stable_id("role", practitioner_id, *told)
        self._made[f"PractitionerRole/{role_id}"] = compact(
            {
                "resourceType": "PractitionerRole",
                "id": role_id,
                "identifier": [number] if number["value"] else [],
                "practitioner": referring,
                "organization": organization,
                "code": codes,
            }
        )


def _name(person: Person) -> str:
    """The name, or else the meaning of the code, which may be one (PS3.3 10.1)."""
    return person.name or next((code.meaning for code in person.codes), "")


def _folded(text: str) -> str:
    """A text to compare by: without case, runs of blanks, and empty components of a name at its end."""
    groups = [" ".join(string(group).casefold().split()).rstrip("^ ") for group in text.split("=")]
    return "=".join(groups).strip("=")
