"""What nine languages call the relations of the graph of countries: triples with the relation `label@xx`."""

from collections.abc import Iterator

from catalog.records import Triple
from catalog.sources import source
from catalog.sources._iso import LANGUAGES

# Relation, then de, es, fr, it, ja, ko, nl, vi, zh.
_NAMES = """
capital | Hauptstadt | capital | capitale | capitale | 首都 | 수도 | hoofdstad | thủ đô | 首都
region | Region | región | région | regione | 地域 | 지역 | regio | vùng | 地区
continent | Kontinent | continente | continent | continente | 大陸 | 대륙 | werelddeel | châu lục | 大洲
shares a border with | grenzt an | limita con | est limitrophe de | confina con | 隣接国 |
    인접 국가 | grenst aan | giáp với | 接壤
official language | Amtssprache | idioma oficial | langue officielle | lingua ufficiale | 公用語 | 공용어 |
    officiële taal | ngôn ngữ chính thức | 官方语言
currency | Währung | moneda | monnaie | valuta | 通貨 | 통화 | munteenheid | tiền tệ | 货币
Europe | Europa | Europa | Europe | Europa | ヨーロッパ | 유럽 | Europa | châu Âu | 欧洲
Asia | Asien | Asia | Asie | Asia | アジア | 아시아 | Azië | châu Á | 亚洲
Africa | Afrika | África | Afrique | Africa | アフリカ | 아프리카 | Afrika | châu Phi | 非洲
Americas | Amerika | América | Amériques | Americhe | アメリカ州 | 아메리카 | Amerika | châu Mỹ | 美洲
Oceania | Ozeanien | Oceanía | Océanie | Oceania | オセアニア | 오세아니아 | Oceanië | châu Đại Dương | 大洋洲
"""


@source(table="raw.triples", licence="Apache-2.0", package=None, part="catalog.sources.relation_names")
def relation_names() -> Iterator[tuple[Triple, str]]:
    """Those that `countries` uses, and the continents."""
    for line in _NAMES.strip().replace("|\n", "|").splitlines():
        name, *others = (part.strip() for part in line.split("|"))
        for language, called in zip(LANGUAGES, others, strict=True):
            row = Triple(subject=name, relation=f"label@{language}", object=called, graph="countries")
            yield row, f"{language}#{name}"
