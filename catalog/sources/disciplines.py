"""A taxonomy of human knowledge and skills: 126 disciplines, each with its field, as triples."""

from collections.abc import Iterator

from catalog.records import Triple
from catalog.sources import source


@source(table="raw.taxonomy", licence="Apache-2.0", package=None, part="catalog.sources.disciplines")
def disciplines() -> Iterator[tuple[Triple, str]]:
    """Written for this repository, from how universities, schools and trades name what they teach."""
    for line in " ".join(_DISCIPLINES.split()).strip(". ").split(". "):
        field, _, names = line.partition(": ")
        for name in names.split(";"):
            row = Triple(subject=name.strip(), relation="is a discipline of", object=field, graph="taxonomy")
            yield row, f"{field}#{name.strip()}"


_DISCIPLINES = """
Mathematics: Arithmetic; Algebra; Geometry; Calculus; Statistics; Probability Theory; Number Theory; Discrete
    Mathematics; Mathematical Logic.
Natural Sciences: Mechanics; Optics; Electromagnetism; Thermodynamics; Astronomy; Inorganic Chemistry; Organic
    Chemistry; Physical Chemistry; Geology; Meteorology; Oceanography; Ecology.
Life Sciences: Cell Biology; Genetics; Botany; Zoology; Microbiology; Human Anatomy; Physiology; Evolution;
    Neuroscience.
Computing: Programming; Algorithms; Databases; Operating Systems; Computer Networks; Computer Security; Machine
    Learning; Software Engineering; Computer Graphics; Human-Computer Interaction.
Engineering: Civil Engineering; Mechanical Engineering; Electrical Engineering; Chemical Engineering; Materials
    Science; Aerospace Engineering; Environmental Engineering; Robotics; Architecture.
Medicine and Health: Nursing; Nutrition; Pharmacy; Dentistry; Public Health; First Aid; Psychiatry; Veterinary
    Medicine; Physiotherapy.
Social Sciences: Microeconomics; Macroeconomics; Sociology; Political Science; Social Psychology; Cognitive
    Psychology; Anthropology; Human Geography; International Relations; Demography.
Law: Contract Law; Criminal Law; Constitutional Law; Tax Law; Labour Law; International Law; Intellectual Property.
Humanities: Ancient History; Modern History; Ethics; Epistemology; Religious Studies; Archaeology; Art History;
    Musicology; History of Science.
Languages and Literature: Grammar; Phonetics; Semantics; Poetry; Drama; The Novel; Rhetoric; Translation; Creative
    Writing; Technical Writing.
Business: Accounting; Marketing; Corporate Finance; Project Management; Logistics; Human Resources; Entrepreneurship;
    Negotiation.
Arts: Drawing; Photography; Film; Theatre; Dance; Music Theory; Graphic Design; Fashion Design.
Trades and Crafts: Carpentry; Plumbing; Cooking; Baking; Tailoring; Gardening; Car Repair; Farming.
Everyday Skills: Personal Finance; Time Management; Critical Thinking; Public Speaking; Parenting; Travel Planning;
    Household Management; Physical Fitness.
"""
