# ruff: noqa: E501 - a pattern reads best on its own line
"""Injection: words that want to command a model instead of informing it, and characters that nobody sees.

Three layers: commands to set aside instructions or to give the hidden prompt away, in fifteen languages; the marks by
which chat templates part their speakers; hidden Unicode (https://trojansource.codes, https://unicode.org/reports/tr36):
tags, bidirectional overrides, zero-width characters within words, payloads of variation selectors, letters of another
alphabet within a word. What scripts and emoji need of these (joiners of Persian, Indic scripts and emoji families, the
flags of England, Scotland and Wales, a byte-order mark, soft hyphens) is left in peace.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from quality.screens import Fault, Span, text_screen
from quality.screens._suspects import look_closely

_IGNORE = r"(?:ignore|disregard|forget|override|bypass|discard|neglect|cancel|abandon|(?:do not|don'?t|stop) (?:follow(?:ing)?|obey(?:ing)?))"
_EARLIER = (
    r"(?:(?:all|any|every|everything|each|of|the|your|my|our|these|those|its|other|existing|previous(?:ly given)?|prior|above|earlier"
    r"|preceding|foregoing|former|past|initial|original|system|safety|content|current|given|and|or|default|ethical)[ ,]+)"
)
_ORDERS = r"(?:instructions?|prompts?|directions|directives?|guidelines|commands?|programming|training|guardrails|safeguards|system messages?|guidance|orders|messages|polic(?:y|ies)|rules|constraints|restrictions|filters)"
_OLD = r"(?:previous(?:ly given)?|prior|above|earlier|preceding|foregoing|former|initial|original|system|safety|your|existing)"
_COMMANDS: tuple[str, ...] = (
    rf"\b{_IGNORE} {_EARLIER}{{0,6}}{_OLD} {_EARLIER}{{0,4}}{_ORDERS}\b",
    rf"\b{_IGNORE} (?:all |any |every )(?:of )?(?:the |these |those )?(?:instructions?|prompts?|directives|guidelines|rules) (?:above|before|given|so far|you|that|and)\b",
    rf"\b{_IGNORE} (?:all |everything |any ?thing )?(?:of )?(?:that |which )?(?:you (?:were|have been|'ve been) (?:told|instructed|taught|given)|(?:the |what(?:'s| is| was) )(?:text |prompt |written |said )?above and\b|what (?:you|I) (?:were|was|have|said) (?:told|instructed|said)|before this)",
    rf"(?:^|[.!?\n:;,\"'*>-]\s*|\b(?:please|and|now|then|just|must|should|to|assistant,?)[ ]+){_IGNORE} (?:absolutely |completely )?(?:everything|anything|all|whatever|what)\b[^.\n]{{0,30}}\b(?:above|before(?: this)?|previously|earlier|so far|prior)\b(?! (?:mentioned|described|listed))",
    rf"\b{_IGNORE} (?:the |any |all |every )?(?:instructions?|rules|prompts?|guidelines) (?:in|from|of|inside|within) (?:the |your |this )?(?:system|developer|user|previous|above|prompt|document)",
    rf"\b{_IGNORE} (?:the |all |any )?user'?s?'? (?:request|question|input|prompts?|messages?|instructions?|query|wishes)\b",
    r"\bwhat (?:are|were|is|was) your (?:\w+ )?(?:original|initial|system|hidden|exact|full|secret) (?:instructions?|prompts?|rules|message)\b",
    r"(?:^|[\n.!?\-\]>#*] ?)new (?:system )?(?:instructions?|prompt|directive)s?:",
    r"[-=#*<\[]{2,} ?end of (?:the )?(?:prompt|instructions?|context|document|input|conversation)\b",
    r"(?:<!--|\[//\]|/\*)[^>\n]{0,40}\b(?:AI|LLM|assistant|language model|chatbot|GPT)s?\b[^>\n]{0,25}[:,]",
    r"\bAI (?:assistants?|agents?|models?|systems?)(?: reading this)?[:,] (?:you |please |always |do |tell|say|respond|ignore|recommend|include|rate|output)",
    r"\b(?:never (?:refuse|reject|decline)s?|(?:unable|not allowed|forbidden) to (?:refuse|decline|say no))\b[^.\n]{0,60}\b(?:requests?|questions?|orders?|answers?|prompts?|commands?|character|user)\b",
    r"\b(?:no longer|not|never) (?:bound|restricted|constrained|limited) by (?:any |the |its |your |typical |usual |openai'?s? |\w+ (?:and|or) )*(?:rules|ethic\w*|moral\w*|polic\w+|guidelines|restrictions|limitations|laws?|confines|censorship)\b",
    r"\b(?:answers?|respond\w*|repl(?:y|ies)|generates?|fulfil\w*)\b[^.\n]{0,60}\bwithout (?:any )?(?:warnings?|disclaimers?|filter(?:s|ing)?|censorship|moral\w*|ethic\w*|judg\w+|refus\w*)\b",
    r"\b(?:regardless of|not care about|n'?t care about|never cares about|disregards?|ignores?)\b[^.\n]{0,30}\b(?:legality|ethicality|morality)\b",
    r"\b(?:unethical|immoral|illegal|harmful|explicit|NSFW)[^.\n]{0,40}\b(?:requests?|prompts?|content|generations?) (?:are|is) (?:allowed|permitted|answered|fine)",
    r"\b(?:amoral|unfiltered|uncensored|unrestricted|jailbroken|immoral) (?:\w+ )?(?:AI|chatbot|language model|assistant|bot|GPT)\b",
    rf"\b{_IGNORE} (?:all )?(?:the )?(?:above|previous|preceding)(?: text| message| content| conversation| input)?(?: and|,? then|[.;:!])",
    r"\b(?:reveal|print|show|repeat|output|display|leak|expose|disclose|tell me|give me|share|recite|write out|dump|return)\b[^.\n]{0,40}\b(?:your|the) (?:\w+ ){0,2}(?:system|hidden|initial|secret|original|internal|developer|confidential) (?:prompts?|instructions?|messages?|rules|guidelines|directives)\b",
    r"\b(?:what|repeat)\b[^.\n]{0,20} (?:is|was|are|were) (?:written |your )?(?:above this|(?:system|initial|hidden) (?:prompt|instructions?))\b",
    r"\brepeat (?:the |all (?:the )?)?(?:words|text|everything) above\b",
    r"\b(?:you are|you're|act as|become|enter|enable|activate|switch (?:in)?to|simulate|imagine you are) (?:now )?(?:in |into |as |called |named )?(?:an? |the )?[\"'“]?(?:DAN\b|STAN\b|do anything now|developer mode|god mode|jailbr(?:eak|oken)|unrestricted (?:AI|mode|assistant)|unfiltered|uncensored|sudo mode|debug mode|admin(?:istrator)? mode|maintenance mode|evil)",
    r"\bdo anything now\b",
    r"\b(?:developer|god|jailbreak|DAN|sudo|unrestricted) mode (?:is |has been )?(?:now )?(?:enabled|activated|engaged|on\b|unlocked)",
    r"\b(?:you (?:now )?have|pretend (?:that )?you have|act as (?:if|though) you have|there are|with) no (?:(?:ethical|moral|content|safety) )?(?:restrictions|filters|guidelines|limitations|guardrails|censorship|rules)(?: (?:or|and) \w+)*[ .,;!]+(?:you|answer|respond|anything|reply|do|and|now|$)",
    r"\b(?:without|free (?:of|from)) (?:any |all |your )?(?:(?:ethical|moral|content|safety|openai(?:'s)?|typical|usual) )+(?:restrictions|filters|guidelines|limitations|constraints|guardrails|confines|polic(?:y|ies))",
    r"\b(?:note|attention|message|instructions?|notice|important|reminder|hello|hey|dear|warning)[ ,:]+(?:to|for)? ?(?:the |any |all |every )?(?:AIs?|LLMs?|(?:large )?language models?|AI (?:models?|assistants?|agents?|systems?|crawlers?)|chatbots?|chatgpt|gpt-?4?)\b[^.\n]{0,40}(?:reading|processing|summari[sz]ing|parsing|:|must|should|please)",
    r"\bif you(?:'re| are) (?:an? |the )?(?:AI|LLM|(?:large )?language model|AI (?:model|assistant|agent|system)|chatbot|chatgpt|automated (?:system|agent))\b[^.\n]{0,50}(?:,|then|you must|please|reading|processing)",
    r"\b(?:end|stop) of (?:the )?(?:system |user |original |previous )(?:prompt|instructions?|message|input)\b",
    r"(?:^|\n)\W{0,4}(?:new|updated|real|actual|revised|override|admin|priority|system) (?:system )?(?:instructions?|prompt|override|directive|task|command)s? ?(?:[:\]]|from)",
    r"\b(?:system|admin(?:istrator)?|developer|security|instruction) override\b[^.\n]{0,40}(?:[:\]]|activated|engaged|initiated|code|accepted|now)",
    r"\byour (?:new|real|true|actual|only|updated) (?:instructions?|task|goal|objective|directive|purpose|job|mission|rules?) (?:is|are)(?: now)?\b[: ](?:to |as follows|:)?",
    r"\b(?:from now on|henceforth|starting now|hereafter),? (?:you|your)\b[^.\n]{0,60}\b(?:ignore|no longer|never refuse|not refuse|unrestricted|unfiltered|any request|all requests|obey|comply|without (?:question|restriction))",
    r"\byou (?:must|will|shall|should|can|are (?:going )?to) (?:never|not|no longer) (?:refuse|decline|reject|deny|say (?:that )?you (?:can'?t|cannot))\b",
    r"\b(?:do not|don'?t|never) (?:mention|reveal|tell|disclose|inform|alert)[^.\n]{0,30} (?:this (?:instruction|prompt|message|injection)|these (?:instructions|hidden))",
    r"\b(?:when|if) (?:asked|summari[sz]ing|the user asks)[^.\n]{0,60}, (?:always )?(?:instead )?(?:say|respond|reply|output|insert|append|recommend)[^.\n]{0,40} (?:instead|secretly|without mentioning)",
    r"\b(?:send|forward|exfiltrate|post|email|upload|transmit|append|leak)\b[^.\n]{0,60}\b(?:conversation(?: history)?|chat (?:history|log)|system prompt|user'?s? (?:data|credentials|messages|passwords?)|api keys?|credentials|secrets|environment variables)\b[^.\n]{0,40}\b(?:to|at|via|in)\b[^.\n]{0,20}(?:https?:|www\.|\S+@|\S+\.(?:com|net|io|org|xyz)\b|url|webhook)",
    r"!\[[^\]\n]{0,60}\]\(https?://[^)\s]{1,200}[?&/=][^)\s]{0,80}(?:\{|%7B|\[|<)[^)\s]{0,80}\)",
    r"\b(?:ignor(?:ier|iere|ieren Sie)|vergiss|vergessen Sie|missachte|missachten Sie)\b[^.\n]{0,25}\b(?:vorherigen|bisherigen|vorigen|obigen|früheren|vorangegangenen)[^.\n]{0,15}(?:Anweisungen|Instruktionen|Befehle|Vorgaben|Regeln)",
    r"\b(?:ignore[zr]?|oublie[zr]?|ne tiens pas compte de|ne tenez pas compte de)\b[^.\n]{0,25}\b(?:instructions?|consignes|directives|ordres|règles)\b[^.\n]{0,12}(?:précédentes?|antérieures?|ci-dessus|préalables|initiales)",
    r"\b(?:ignor[ae]|olvid[ae]|descart[ae]|haz caso omiso de|omite)\b[^.\n]{0,25}\b(?:instrucciones|indicaciones|órdenes|reglas|directrices)\b[^.\n]{0,12}(?:anteriores|previas|de arriba|iniciales)",
    r"\b(?:ignore|ignora|esqueça|desconsidere)\b[^.\n]{0,25}\b(?:instruções|ordens|regras|orientações)\b[^.\n]{0,12}(?:anteriores|prévias|acima|iniciais)",
    r"\b(?:ignora|dimentica|trascura|ignorate|dimenticate)\b[^.\n]{0,25}\b(?:istruzioni|indicazioni|regole|direttive|ordini)\b[^.\n]{0,12}(?:precedenti|sopra|iniziali)",
    r"\b(?:negeer|vergeet)\b[^.\n]{0,25}\b(?:vorige|eerdere|voorgaande|bovenstaande)[^.\n]{0,10}(?:instructies|opdrachten|regels)",
    r"\b(?:zignoruj|ignoruj|zapomnij)\b[^.\n]{0,25}\b(?:poprzednie|wcześniejsze|powyższe)[^.\n]{0,10}(?:instrukcje|polecenia|zasady)",
    r"(?:игнорируй|проигнорируй|забудь|игнорировать|отбрось)(?:те)?[^.\n]{0,25}(?:предыдущие|прежние|прошлые|вышеуказанные|предшествующие)[^.\n]{0,10}(?:инструкции|указания|команды|правила)",
    r"önceki[^.\n]{0,15}(?:talimatları|komutları|yönergeleri)[^.\n]{0,12}(?:yoksay|unut|görmezden|dikkate alma)",
    r"(?:忽略|无视|無視|忘记|忘記|不要理会|忽視)[^。\n]{0,10}(?:之前|以上|先前|前面|上面|此前|所有)[^。\n]{0,8}(?:指令|指示|命令|提示|要求|规则|說明|说明)",
    r"(?:以前|これまで|上記|前|先ほど|今まで)の[^。\n]{0,8}(?:指示|命令|プロンプト|ルール|指令)[^。\n]{0,6}(?:無視|忘れ)",
    r"(?:이전|위|앞)[^.\n]{0,6}(?:지시|명령|지침|프롬프트)[^.\n]{0,10}(?:무시|잊)",
    r"(?:تجاهل|انس)[^.\n]{0,12}(?:التعليمات|الأوامر|الإرشادات)[^.\n]{0,12}(?:السابقة|أعلاه)",
    r"पिछले[^।\n]{0,12}(?:निर्देशों|निर्देश|आदेशों)[^।\n]{0,12}(?:अनदेखा|नज़रअंदाज़|भूल|नजरअंदाज)",
)
_MARKS: tuple[str, ...] = (
    r"<\|(?:im_start|im_end|im_sep|endoftext|system|user|assistant|begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|end|endofprompt|start|message|channel|return|python_tag|START_OF_TURN_TOKEN|END_OF_TURN_TOKEN|(?:SYSTEM|USER|CHATBOT)_TOKEN)\|>",
    r"<(?:start|end)_of_turn>|<｜(?:User|Assistant|begin▁of▁sentence|end▁of▁sentence)｜>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\]|<<?/?SYS>>",
    r"\{\{[#~/]?(?:system|user|assistant)~?\}\}",
    r"</?(?:system|user|assistant)>[^\n]{0,80}</?(?:system|user|assistant)>",
    r"(?:^|\n)[ \t]*</?(?:system|system_prompt|system-prompt|sys)>",
    r"(?:^|\n)[ \t]*\[(?:system|assistant|developer)\](?:\(#\w+\)|:)",
    r"(?:^|\n)[ \t]*#{0,4} ?\[?system(?: (?:prompt|message|note|instruction|alert))?\]?[ ]?:[ ]?(?:you (?:are|must|will|should|have|can)|ignore|disregard|override|new|the (?:assistant|user|model|AI)|from now)",
    r"\"role\"\s*:\s*\"system\"\s*,\s*\"content\"\s*:\s*\"[^\"]{0,100}(?:ignore|override|disregard|unrestricted)",
)
_COMMAND = re.compile("|".join(_COMMANDS), re.IGNORECASE)
_MARK = re.compile("|".join(_MARKS), re.IGNORECASE)

_HIDDEN = "\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\u180e\u034f\u115f\u1160\u3164\uffa0\ufff9-\ufffb"
_BIDI = "\u202a-\u202e\u2066-\u2069"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_ALPHABETIC = "A-Za-zÀ-ɏͰ-ϿЀ-ԯ"
_UNSEEN: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("tag characters", re.compile(f"(?<!\U0001f3f4)(?<![{_TAGS}])[{_TAGS}]+|\U0001f3f4[{_TAGS}]{{8,}}")),
    ("a variation selectors' payload", re.compile(f"[{_SELECTORS}]{{2,}}|(?<=[A-Za-z .,;:!?])[{_SELECTORS}]")),
    ("a bidirectional override", re.compile("[\u202d\u202e]")),
    ("a run of zero-width characters", re.compile(f"[{_HIDDEN}]{{3,}}")),
    (
        "a zero-width character within a word",
        re.compile(f"(?<=[{_ALPHABETIC}])[\u200b-\u200d\u2060\ufeff\u180e\u034f\u115f\u1160\u3164]+(?=[{_ALPHABETIC}])"),
    ),
    ("soft hyphens between all letters", re.compile("(?:\\w\u00ad){4,}")),
    ("control characters", re.compile("\x1b\\[[0-9;]*[A-Za-z]|(?:[\x01-\x08\x0e-\x1f\x7f]){1,}")),
)  # fmt: skip
_EMBEDDING = re.compile("[\u202a\u202b\u202c\u2066-\u2069]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_TWINS = "АВЕЅІЈКМНОРСТХУԚԜасԁеһіјӏорԛѕԝхуѵңΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲ"
_MIXED = re.compile(f"(?=[^\\W\\d_]*[{_TWINS}])(?=[^\\W\\d_]*[A-Za-z])[^\\W\\d_]{{4,}}")
_STRAY = (
    f"[{_HIDDEN}{_BIDI}{_TAGS}\U000e0100-\U000e01ef]|[{_SELECTORS}]{{2}}|[A-Za-z .,;:!?][{_SELECTORS}]"
    f"|(?:\\w\u00ad){{4}}|[\x01-\x08\x0e-\x1f\x7f]|[A-Za-z][{_TWINS}]|[{_TWINS}][A-Za-z]"
    "|[\uff21-\uff5a\U0001d400-\U0001d6a3]{3}|(?:\\b[A-Za-z][ ._-]){6}"
)
# What each command and mark has at least, so that few texts are read with all of the patterns above.
_ANCHORS = (
    r"ignor|disregard|forget|overrid|bypass|discard|neglect|cancel|abandon|(?:not|n'?t|stop) (?:follow|obey)|vergiss|vergessen|missachte"
    r"|oublie|ne (?:tiens|tenez) pas compte|olvid|descart|caso omiso|omite|esqueça|desconsidere|dimentica|trascura|negeer|vergeet"
    r"|zapomnij|игнорир|забудь|отбрось|yoksay|unut|görmezden|dikkate alma|忽略|无视|無視|忘|不要理会|忽視|무시|잊|تجاهل|انس|अनदेखा|नज़रअंदाज़|भूल|नजरअंदाज"
    r"|(?:system|hidden|initial|secret|original|internal|developer|confidential|new|updated|real|actual|revised|priority) "
    r"(?:system |note|prompt|instruction|message|rules|guidelines|directive|task|command|override)"
    r"|above this|(?:words|text|everything) above|\b[DS]T?AN\b|anything now|(?:developer|god|sudo|debug|admin|administrator|maintenance|jailbreak) mode"
    r"|jailbr|unrestricted|unfiltered|uncensored|evil|no (?:ethical |moral |content |safety )?(?:restrictions|filters|guidelines|limitations|guardrails|censorship|rules)"
    r"|(?:without|free of|free from) (?:any|all|your|ethical|moral|content|safety|openai|typical|usual) "
    r"|\b(?:AIs?|LLMs?|language models?|chatbots?|chatgpt|gpt-?4?)\b|automated (?:system|agent)|(?:end|stop) of (?:the )?(?:system|user|original|previous) "
    r"|(?:system|admin|administrator|developer|security|instruction) override|your (?:new|real|true|actual|only|updated) "
    r"|from now on|henceforth|starting now|hereafter|(?:never|not|no longer) (?:refuse|decline|reject|deny|say)"
    r"|(?:this|these) (?:instruction|prompt|message|injection|hidden)|instead|secretly|without mentioning"
    r"|conversation|chat (?:history|log)|system prompt|user'?s? (?:data|credentials|messages|password)|api key|credentials|secrets|environment variable"
    r"|end of (?:prompt|instructions?|context|document|input|conversation)|<!--|/\*|\[//\]|AI (?:assistant|agent|model|system)s?[:, ]|unable to refuse|(?:refuse|reject|decline)s?\b"
    r"|(?:bound|restricted|constrained|limited) by |without (?:any )?(?:warning|disclaimer|filter|censor|moral|ethic|judg|refus)|legality|ethicality|morality|NSFW|immoral|amoral|unethical|(?:requests?|prompts?|content|generations?) (?:are|is) (?:allowed|permitted|answered|fine)"
    r"|your (?:\w+ )?(?:original|initial|system|hidden|exact|full|secret) |\{\{[#~/]?(?:system|user|assist)|</?(?:system|user|assistant)>"
    r"|!\[|<\||<｜|_of_turn|\[/?(?:INST|SYSTEM|AVAIL|TOOL|assistant|developer)|<<?/?sys|system ?(?:prompt|message|note|instruction|alert)?\]?[ ]?:|\"role\""
)
_ANY = f"(?i:{_ANCHORS})|{_STRAY}"
_SPACED = re.compile(r"(?<![A-Za-z])(?:[A-Za-z](?P<gap>[ ._-])(?=[A-Za-z](?![A-Za-z]))){5,}[A-Za-z](?![A-Za-z])")


@text_screen(policy="drop", axis="security", everywhere=True)
def injection(texts: Sequence[str]) -> list[Fault | None]:
    """Fault the texts that command a model, carry a chat template's marks or hide characters."""
    return look_closely(texts, _ANY, _fault)


def _fault(text: str) -> Fault | None:
    if match := _MARK.search(text):
        return Fault("carries a chat template's mark", _shown(match[0]), (Span(*match.span(), "INJECTION"),))
    if hidden := next(_hidden(text), None):
        return hidden
    if match := _COMMAND.search(text):
        return Fault("commands a model", _shown(match[0]), (Span(*match.span(), "INJECTION"),))
    if (plain := _plain(text)) != text and (match := _COMMAND.search(plain)):
        return Fault("commands a model in disguised letters", _shown(match[0]))
    return None


def _hidden(text: str) -> Iterator[Fault]:
    """Faults for characters that are not seen, or not seen for what they are."""
    if text.isascii() and text.isprintable():
        return
    for what, pattern in _UNSEEN:
        if spans := tuple(Span(*match.span(), "HIDDEN") for match in pattern.finditer(text)):
            found = text[spans[0].start : spans[0].end]
            yield Fault(f"hides {what}", f"{_shown(found)}, {len(spans)} place(s)", spans)
    if not _RIGHT_TO_LEFT.search(text) and (match := _EMBEDDING.search(text)):
        yield Fault("hides a change of direction", _shown(match[0]), (Span(*match.span(), "HIDDEN"),))
    for match in _MIXED.finditer(text):
        twins = [character for character in match[0] if character in _TWINS]
        latin = sum(character.isascii() for character in match[0])
        if latin + len(twins) == len(match[0]) and latin >= len(twins):
            yield Fault("mixes look-alike letters of two alphabets", _shown(match[0]), (Span(*match.span(), "HIDDEN"),))


def _plain(text: str) -> str:
    """The text with compatibility forms folded, and letters that stand apart drawn together."""
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _SPACED.sub(lambda match: match[0].replace(match["gap"], ""), folded)


def _shown(found: str) -> str:
    """What was found on one line, with every character that is not seen as its code point, at most 120 characters."""
    shown = "".join(c if c.isprintable() and not 0xFE00 <= ord(c) <= 0xFE0F else f"<U+{ord(c):04X}>" for c in found)
    return shown.strip()[:120]
