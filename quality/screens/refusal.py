# ruff: noqa: E501 - a pattern reads best on its own line
"""Refusal: a model that declines, or talks about itself instead of answering, and slots of a template left unfilled.

Only the first person refuses: a text about refusals, or one that quotes them, passes, and so do openings such as
"Sure! Here is …". Patterns are for English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian,
Chinese, Japanese and Korean.
"""

import re
from collections.abc import Sequence

from quality.screens import Fault, Span, text_screen
from quality.screens._suspects import look_closely

_NOT = r"(?:cannot|can ?not|can['’]?t|am (?:not able|unable)|['’]m (?:not able|unable)|could ?n['’]?t|won['’]?t|will not|am not (?:allowed|permitted|comfortable|programmed|designed|equipped)|['’]m not (?:allowed|permitted|comfortable|programmed|designed|equipped)|must (?:decline|refuse)|(?:have|need) to (?:decline|refuse)|do not feel comfortable|don['’]t feel comfortable|(?:can|could) (?:neither|no longer)|refuse|decline)"
_HELP = r"(?:to |with |in )?(?:assist|help(?:ing)? (?:you )?(?:with|to|in|create|writ)|help you\b|help\b(?= ?[.,;!]|$| (?:with|you|anyone))|fulfil|comply|provid(?:e|ing)|generat(?:e|ing)|creat(?:e|ing)|engag(?:e|ing)|participat(?:e|ing)|writ(?:e|ing)|produc(?:e|ing)|support(?:ing)?|shar(?:e|ing)|answer(?:ing)?|discuss(?:ing)?|giv(?:e|ing)|offer(?:ing)?|do(?:ing)? (?:that|this|so)|continu(?:e|ing)|facilitat|complet(?:e|ing)|respond(?:ing)?|process(?:ing)?|access(?:ing)?|brows(?:e|ing)|recommend(?:ing)?|endors|promot)"
_WHAT = r"(?:(?:with|to|in|on|for|you|any|such|your|the|this|that|these|those|a|an|or|and|about|further) ?){0,6}"
_TOPIC = r"(?:requests?|questions?|quer(?:y|ies)|task|content|information|instructions?|advice|guidance|topics?|material|assistance|activit(?:y|ies)|conversations?|prompts?|data|help|answers?|response|details|links?|internet|web|real[- ]time|diagnos[ei]s|opinions?|that|this|anything|it\b|harm|illegal|malware|weapons?|code|story|stories|jokes?|essay|text|response)"
_AI = r"(?:(?:an? |your )?(?:(?:large |just |only |simple |text[- ]based |helpful |responsible |virtual |digital )*)(?:AI\b|A\.I\.|artificial intelligence|LLM|(?:AI |large )?language model|chat ?bot|computer program|machine learning model|virtual assistant|digital assistant|text[- ]based (?:AI|model)|computer program|digital AI))"
_ENGLISH: tuple[tuple[str, str], ...] = (
    ("speaks as a model", rf"(?<!such )\bAs {_AI}(?: (?:language )?(?:model|assistant|system|chatbot|program))?(?: (?:developed|created|trained|made|built|designed|powered|from|by)[^.,\n]{{0,60}})?[ ]?(?:,|I\b|my\b)"),
    ("speaks as a model", rf"\b(?:I am|I['’]m|I was) (?:just |only |merely |simply |actually |still |but )*{_AI}(?: (?:language )?(?:model|assistant|system))?[^.\n]{{0,60}}?(?:,? (?:and|so|but|therefore|which means|without|that|[.,;:–—-]))[^.\n]{{0,30}}?[ ](?:cannot |can['’]t |does not |doesn['’]t |am not able |unable |have no |do not |don['’]t )"),
    ("speaks as a model", r"\bI(?:['’]m| am) (?:ChatGPT|Claude|Gemini|Bard|Bing Chat|Llama|Copilot|Grok|Qwen|DeepSeek|Mistral)\b|\bI(?: am|['’]m| was) (?:a (?:large )?language model )?(?:trained|developed|created|made|built) by (?:OpenAI|Anthropic|Google|Meta|Microsoft|Mistral|Alibaba|DeepSeek|Hugging Face)"),
    ("declines", rf"(?:\bI['’]?m (?:very |really |so |deeply |truly |afraid )?(?:sorry)?|\bI am (?:very |really |truly |so )?sorry|\bsorry|\bI apologi[sz]e|\bmy apologies|\bunfortunately|\bI regret|\bI['’]m afraid|\bregrettably|\bthank you for[^.\n]{{0,50}}|\bI (?:understand|appreciate)[^.\n]{{0,80}})[^.\n]{{0,30}}?[ ,.;:–—-]+(?:but |that |however,? |as |and )*(?:I|we)[ ]?{_NOT} (?:be able to )?{_HELP}[^.\n]{{0,12}}?[ ]?{_WHAT}(?:\w+ ){{0,8}}?(?:{_TOPIC}|[.!\n]|$)"),
    ("declines", rf"(?:^|[\n.!?:\"“] ?|\bassistant: ?)I {_NOT}(?:,? (?:and|or|nor) (?:I )?(?:will not|won['’]t|cannot|can['’]t|should not))?(?: be able to)? (?:(?:assist|help)(?: you)?(?: with| in| to)|fulfil+|comply with|engage in|participate in|support|(?:provide|generate|create|write|produce|give|share|offer) (?:you |any |such |that |this |content|information|instructions|advice|assistance|guidance|specific|medical|legal|explicit|harmful)|discuss (?:that|this|such)|answer (?:that|this|such|your)|do that|continue (?:with )?this|access (?:the internet|real[- ]time|external|your)|browse)\b"),
    ("declines", r"\bI['’]?(?: a)?m (?:just )?(?:not able|unable|not allowed|not permitted|not programmed|not designed|not in a position|not comfortable) (?:to |with )?(?:provid|assist|help|fulfil|generat|creat|engag|comply|discuss|answer|writ|do that|produc|shar|giv|offer|process|access|brows|respond|support|continu)\w*"),
    ("declines", r"\b(?:I|we) (?:must|have to|need to|will have to|am going to|['’]m going to|respectfully|politely) (?:respectfully |politely |therefore )?(?:decline|refuse)\b"),
    ("declines", r"\b(?:it|that|this) (?:would be|is|goes) (?:not )?(?:against|unethical|inappropriate|not appropriate|outside)[^.\n]{0,30}(?:\bmy (?:programming|guidelines|policies|ethical|purpose|capabilities|principles|values)|for me to (?:provide|assist|help|generate|create|engage|write|answer|discuss))"),
    ("declines", r"\b(?:goes|is|go|are|violates?|conflicts? with|would violate) (?:against )?(?:my (?:programming|ethical|content|safety|use|usage) ?(?:guidelines|polic(?:y|ies)|principles|standards|programming)?|OpenAI['’]s (?:use[- ]case |usage |content )?polic(?:y|ies))"),
    ("declines", r"(?:^|\n|[.!?] )(?:sorry|apologies|I apologi[sz]e|no),? (?:but )?(?:that['’]s|that is|this is) (?:not )?(?:something )?(?:I (?:can(?:no|['’])t|can not|won['’]t|am unable|['’]m unable|am not able)|beyond my|outside my)"),
    ("declines", r"\bmy (?:programming|guidelines|safety guidelines|ethical guidelines|training) (?:prevents?|prohibits?|do(?:es)? not allow|don['’]t allow|forbids?|restricts?|won['’]t (?:let|allow))"),
    ("declines", r"\bI (?:do not|don['’]t|cannot|can['’]t) (?:have|possess|experience|hold|form) (?:any |personal |human |subjective |real )*(?:personal (?:opinions?|beliefs?|feelings?|experiences?|preferences?|emotions?)|access to (?:real[- ]time|the internet|current|up-to-date|external|live|personal)|real[- ]time (?:data|information|access)|physical (?:body|form)|the (?:ability|capability|capacity) to (?:browse|access|feel|experience|provide|view|see|search|have|recall|remember|perform|open|watch|hear|form))"),
    ("speaks as a model", r"\bI(?:['’]m| am) (?:only |just |here and )?(?:programmed|designed|trained) to (?:be |provide|follow|assist|generate|avoid|promote|prioriti[sz]e|decline|respond|answer|help)"),
    ("talks about its knowledge", r"\b(?:as of|since|up (?:un)?to|until|before|beyond|after|in|based on|given) my (?:last |latest |most recent |current |training )*(?:knowledge|training|update)(?:[- ](?:data|knowledge))?[ -]?(?:update|cut[- ]?off|base|data|stops|ends|was|only|goes)?\b(?=[^.\n]{0,25}(?:20\d\d|,|date|cut|update))"),
    ("talks about its knowledge", r"\bmy (?:knowledge|training|training data|data)(?: base| data)? (?:cut[- ]?off|was last updated|only (?:goes|extends|covers|includes)|is (?:limited|current|only|based)|(?:ends|stops|extends|goes)(?: only)? (?:in|at|up|to|until))"),
    ("talks about its knowledge", r"\bI (?:don['’]t|do not) have (?:any )?(?:information|data|knowledge) (?:about |on |of |regarding )?(?:events |developments |anything )?(?:after|beyond|past|later than) (?:my|20\d\d|september|october|april|january|december)"),
)  # fmt: skip
_OTHERS: tuple[tuple[str, str], ...] = (
    ("speaks as a model", r"\b(?:Ich bin (?:nur |lediglich )?(?:ein|eine) (?:KI\b|künstliche Intelligenz|Sprachmodell|KI-)|Je suis (?:une (?:IA|intelligence artificielle)|un (?:modèle de langage|assistant (?:IA|virtuel)))|Soy (?:una (?:IA|inteligencia artificial)|un (?:modelo de lenguaje|asistente (?:de IA|virtual)))|Sou (?:uma (?:IA|inteligência artificial)|um (?:modelo de linguagem|assistente (?:de IA|virtual)))|Sono (?:un['’](?:IA|intelligenza artificiale)|un (?:modello linguistico|assistente virtuale)))\b"),
    ("speaks as a model", r"\bAls (?:ein )?(?:KI|künstliche Intelligenz|Sprachmodell|KI-(?:Sprachmodell|Modell|Assistent)|großes Sprachmodell|virtueller Assistent)\b[^.\n]{0,40}(?:kann|habe|bin|darf|besitze|ist es mir)"),
    ("declines", r"\b(?:Es tut mir (?:sehr )?leid|Tut mir leid|Leider|Entschuldigung|Ich bedau[e]?re)\b[^.\n]{0,40}\b(?:kann|darf|werde|möchte) ich\b[^.\n]{0,60}\bnicht?\b|\b(?:Es tut mir (?:sehr )?leid|Tut mir leid|Entschuldigung)[^.\n]{0,20}\bich (?:kann|darf|werde)\b[^.\n]{0,60}\b(?:nicht|keine)\b|\bIch (?:kann|darf) (?:Ihnen |dir )?(?:dabei|bei dieser (?:Anfrage|Bitte)|diese (?:Anfrage|Bitte)|diesen Wunsch|damit)[^.\n]{0,30}\bnicht\b"),
    ("speaks as a model", r"\bEn tant qu['’](?:e )?(?:IA|intelligence artificielle|assistant (?:IA|virtuel)|modèle de langage|grand modèle)\b|\bEn tant que (?:modèle|grand modèle|assistant)[^.\n]{0,40}(?:je|j['’])"),
    ("declines", r"\b(?:Je suis (?:vraiment |sincèrement )?désolée?|Désolée?|Malheureusement|Je regrette|Je m['’]excuse)\b[^.\n]{0,30}\bje (?:ne (?:peux|puis|suis)|n['’]ai)\b[^.\n]{0,40}|\bJe ne (?:peux|puis) pas (?:vous |t['’]|te )?(?:aider|répondre|fournir|accéder|satisfaire|générer|participer)"),
    ("speaks as a model", r"\bComo (?:una? |uma? |um )?(?:IA\b|inteligencia artificial|modelo de lenguaje|asistente (?:de IA|virtual)|inteligência artificial|modelo de linguagem|assistente (?:de IA|virtual))"),
    ("declines", r"\b(?:Lo siento|Lo lamento|Disculpa|Perdón|Lamentablemente|Desafortunadamente)\b[^.\n]{0,30}\bno (?:puedo|me es posible|estoy en condiciones|soy capaz)\b|\bNo puedo (?:ayudarte|ayudarle|ayudar (?:con|en|a)|asistirte|proporcionar|cumplir|generar|responder a)\b[^.\n]{0,40}"),
    ("declines", r"\b(?:Desculpe|Desculpa|Sinto muito|Lamento|Infelizmente)\b[^.\n]{0,30}\bnão (?:posso|consigo|me é possível|sou capaz)\b|\bNão posso (?:ajudar|ajudá-lo|fornecer|atender|gerar|responder a)\b"),
    ("speaks as a model", r"\b(?:In quanto|Come|Essendo (?:un['’]?)?) ?(?:un['’]? ?)?(?:IA\b|intelligenza artificiale|modello linguistico|modello di linguaggio|assistente virtuale)"),
    ("declines", r"\b(?:Mi dispiace|Mi spiace|Purtroppo|Spiacente)\b[^.\n]{0,30}\bnon (?:posso|sono in grado|mi è possibile)\b|\bNon posso (?:aiutarti|aiutarla|fornire|soddisfare|assisterti)\b"),
    ("declines", r"\b(?:Het spijt me|Sorry|Helaas)\b[^.\n]{0,30}\bik (?:kan|mag)\b[^.\n]{0,40}\bniet\b|\bAls (?:een )?(?:AI|taalmodel|AI-taalmodel|AI-assistent)\b[^.\n]{0,30}\b(?:kan|heb|ben|mag) ik\b"),
    ("declines", r"\b(?:Przepraszam|Przykro mi|Niestety)\b[^.\n]{0,30}\bnie (?:mogę|jestem w stanie)\b|\bJako (?:model językowy|sztuczna inteligencja|asystent AI|AI)\b"),
    ("declines", r"(?:Извините|Простите|К сожалению|Мне жаль|Прошу прощения)[^.\n]{0,30}(?:я )?не (?:могу|смогу|в состоянии|имею возможности)[^.\n]{0,40}(?:помо|предостав|выполн|ответ|сгенер|созда|обсужд|дать)|(?:Как|Я —|Я -|Я являюсь) (?:искусственный интеллект|языков(?:ая|ой) модел|ИИ\b|виртуальный (?:ассистент|помощник))[^.\n]{0,40}(?:,| я |не )"),
    ("declines", r"(?:抱歉|对不起|對不起|很遗憾|很遺憾|不好意思)[^。\n]{0,12}(?:我)?(?:无法|無法|不能|没有办法|不可以|不便)[^。\n]{0,16}|作为(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型|大型语言模型|智能助手|虚拟助手)|我是(?:一个|一名)?(?:AI|人工智能|语言模型|大型语言模型)[^。\n]{0,10}(?:，|,)[^。\n]{0,12}(?:无法|不能|没有)|我(?:无法|不能)(?:提供|协助|帮助您|回答|满足|生成)(?:这|该|您|此|任何|有关)"),
    ("declines", r"(?:申し訳(?:ございません|ありません|ない)|すみません|ごめんなさい|恐れ入りますが|残念ながら)[^。\n]{0,40}(?:できません|できかねます|いたしかねます|お答えでき|お手伝いでき|お応えでき)|(?:AI|人工知能|言語モデル|AIアシスタント|AI言語モデル)(?:として|ですので|なので|であるため)"),
    ("declines", r"(?:죄송(?:합니다|하지만)|미안(?:합니다|하지만)|유감스럽게도)[^.\n]{0,40}(?:수 없습니다|어렵습니다|드릴 수 없|못합니다|불가능)|(?:AI|인공지능|언어 ?모델)(?:로서|이기 때문에|이므로|으로서)"),
)  # fmt: skip
_SLOT = r"(?:your|insert|enter|add|put|fill(?: in)?|provide|specify|name|company|recipient|sender|client|customer|hiring manager|manager|employer|position|job|school|university|organi[sz]ation|product|city|state|date|address|phone|email|e-mail|street|contact|department|project|event|candidate|employee|team|brand|website|user|student|teacher|first|last|full)"
_EMPTY: tuple[str, ...] = (
    rf"\[(?:{_SLOT})(?: |['’]s? ?|_|/|-)?(?:[A-Za-z'’/_,-]+ ?){{0,8}}\](?!\(|\[|:|=|\w)",
    r"<(?:insert|your|enter|add|fill[ _-]in|put|provide|specify|replace)[ _-][A-Za-z][A-Za-z '’_,-]{1,60}>",
    r"\{\{ ?(?:your|insert|instruction|input|output|question|answer|prompt|response|context|name|user|user_name|username|first_name|last_name|company|company_name|customer_name|text|document|topic|date|query|completion|message)(?:[._ ]\w+){0,3} ?\}\}",
    r"\{(?:instruction|instructions|input|output|question|answer|prompt|response|context|completion|document|passage|topic|query|user_input|user_query|task|examples?|persona|insert[ _][a-z _]{2,40}|your[ _][a-z _]{2,40}|question_text|input_text|system_prompt|user_prompt|user_message|name|user_?name|first_name|last_name|full_name|customer_name|company_name|product_name|order_id|order_number)\}",
    r"\b(?:INSERT|FILL IN|ADD|ENTER|YOUR)_(?:[A-Z]+_?){1,5}HERE\b|\[(?:TODO|TBD|PLACEHOLDER|INSERT|REDACTED)[^\]\n]{0,40}\](?!\()",
    r"(?i:lorem ipsum dolor sit amet)",
)
_SLOT_CASED = re.compile(r"\[[A-Z]|\[(?:insert|your|enter|name of|fill in|put|specify|add|provide)\b")
_CODE_BEFORE = re.compile(r"(?:\b[frbu]{1,2}[\"'][^\"'\n]*|\\\w*|[$#%@\w]|\\text|=\s?)$|[\"'`][^\"'`\n]{0,200}$")
_CODE_AFTER = re.compile(r"[^\n]{0,200}?[\"'`]\s*(?:\.format|%|\)|,|\])")

_PATTERNS = (*_ENGLISH, *_OTHERS)
_SPOKEN = re.compile(
    "|".join(f"(?P<p{n}>{pattern})" for n, (_, pattern) in enumerate(_PATTERNS)), re.IGNORECASE | re.MULTILINE
)
_UNFILLED = re.compile("|".join(f"(?:{pattern})" for pattern in _EMPTY), re.IGNORECASE)
# What each pattern has at least, so that few texts are read with all of them.
_ANY = (
    r"(?i)\bI(?:['’]?m| am| was)? (?:cannot|can ?not|can['’]?t|could ?n|won['’]?t|will not|must (?:\w+ )?(?:decl|ref)|have to|need to|refuse|decline|will have|am going to dec|(?:only |just |here and )?(?:programmed|designed|trained) to"
    r"|respectfully|politely|unable|not (?:able|allowed|permitted|comf|prog|des|equ|in a)|do not (?:have|pos|exp|hold|form|feel)|don['’]t (?:have|pos|exp|hold|form|feel)"
    r"|ChatGPT|Claude|Gemini|Bard|Bing|Llama|Copilot|Grok|Qwen|DeepSeek|Mistral|trained|developed|created|made|built)"
    r"|\b(?:sorry|apolog|unfortunately|afraid|regret)|(?-i:\bA\.?I\b)|artificial intell|LLM|language model|chat ?bot|machine learning model|virtual assistant|digital assistant|text[- ]based"
    r"|\bmy (?:\w+[ -]){0,3}(?:knowledge|training|update|programming|guidelines|polic|principles|data|ethical|content|safety|use|usage)|for me to |OpenAI|(?:respectfully|politely) (?:dec|ref)|(?:this|that) (?:request|question|topic)"
    r"|\bleid\b|leider|entschuldigung|ich (?:kann|darf|bedau|bin)|je suis un|soy un|sou um|sono un|désolé|malheureusement|je (?:ne p|regrette|m['’]excuse)|en tant qu|lo siento|lo lamento|disculpa|perdón|lamentablemente|desafortunadamente|no puedo|desculp"
    r"|sinto muito|lamento|infelizmente|não posso|dispiace|mi spiace|purtroppo|spiacente|non posso|spijt me|helaas|\bals (?:ein|een|KI|künst|Sprach|gro|virt|AI|taal)|przepraszam|przykro|niestety|jako (?:model|sztucz|asyst)"
    r"|(?:como|come|quanto|essendo) (?:una? |uma? |um |un['’])?(?:IA\b|intelig|intellig|model|asist|assist)|извините|простите|сожалению|мне жаль|прошу прощения|искусственный интеллект|языков|ИИ"
    r"|抱歉|对不起|對不起|遗憾|遺憾|不好意思|作为|我是|我无法|我不能|申し訳|すみません|ごめん|恐れ入り|残念|(?-i:AI(?:と|で|な|로|이|，))|人工知能|言語モデル|죄송|미안|유감|인공지능|언어"
    r"|\[(?:your|insert|enter|add|put|fill|provide|specify|name|company|recipient|sender|client|customer|hiring|manager|employer|position|job|school|university|organi|product|city|state|date|address|phone|e-?mail"
    r"|street|contact|department|project|event|candidate|employee|team|brand|website|user|student|teacher|first|last|full|todo|tbd|placeholder|redacted)|<(?:insert|your|enter|add|fill|put|provide|specify|replace)"
    r"|\{(?:\{ ?)?(?:your|insert|instruction|input|output|question|answer|prompt|response|context|name|user|first_|last_|company|customer|text|document|topic|date|query|completion|message|passage|task|example|persona|system)|_HERE\b|lorem ipsum"
)


@text_screen(policy="drop")
def refusal(texts: Sequence[str]) -> list[Fault | None]:
    """Fault the texts in which a model refuses or talks about itself, or whose template was not filled in."""
    return look_closely(texts, _ANY, _fault)


def _fault(text: str) -> Fault | None:
    for match in _SPOKEN.finditer(text):
        if not _quoted(text, match.start()):
            what = _PATTERNS[int((match.lastgroup or "p0")[1:])][0]
            return Fault(what, " ".join(match[0].split())[:120], (Span(*match.span(), "REFUSAL"),))
    for match in _UNFILLED.finditer(text):
        if _is_slot(text, match):
            return Fault("has an unfilled slot", match[0][:120], (Span(*match.span(), "SLOT"),))
    return None


def _quoted(text: str, start: int) -> bool:
    """Whether a quotation is open on the line where the match starts, and did not open the line."""
    line = text[text.rfind("\n", 0, start) + 1 : start + 1]
    opened = max(
        line.rfind("“") - line.rfind("”"), line.rfind("«") - line.rfind("»"), line.rfind("‘") - line.rfind("’")
    )
    lead = line.lstrip().rstrip("\"'“ ")
    if not lead or re.fullmatch(r"[\w ]{0,20}:\s*", lead):
        return False
    straight = line.count('"') % 2 == 1 or re.search(r"(?:^|[\s(])'[^']*$", line) is not None
    return straight or (opened > 0 and any(mark in line for mark in "“«‘"))


def _is_slot(text: str, match: re.Match[str]) -> bool:
    """Whether a bracket is a slot that should have been filled, and not code, a formula or a link."""
    found, last = match[0], text[match.start() - 1 : match.start()]
    if found.startswith("["):
        if last.isalnum() or last in {".", "_", "]", ")"}:
            return False
        return _SLOT_CASED.match(found) is not None
    if not found.startswith("{"):
        return True
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    return not _CODE_BEFORE.search(before) and not _CODE_AFTER.match(text, match.end())
