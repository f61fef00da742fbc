"""Whose terms a model's answers stand under, as far as it can be told from its name and where it is served.

Terms change, and some forbid to train other models on answers: a card says where to look, never that all is well.
"""

_MODELS = {
    "smollm2": "Apache-2.0 (weights); answers are not restricted",
    "olmo": "Apache-2.0 (weights); answers are not restricted",
    "qwen": "Apache-2.0 or the Qwen licence of that size; read which",
    "mistral": "Apache-2.0 or Mistral's research licence; read which",
    "mixtral": "Apache-2.0; answers are not restricted",
    "deepseek": "MIT (weights of V3 and R1); answers may train other models",
    "llama": "Llama community licence: models trained on answers carry its name; read it",
    "gemma": "Gemma's terms of use; models trained on answers fall under them",
    "phi": "MIT; answers are not restricted",
    "granite": "Apache-2.0; answers are not restricted",
}
_HOSTS = {
    "openai.com": "OpenAI's terms of use: answers may not train models that compete with OpenAI's; read them",
    "azure.com": "Microsoft's product terms and OpenAI's; read them",
    "anthropic.com": "Anthropic's commercial terms: answers may not train competing models; read them",
    "googleapis.com": "Google's terms for generative AI: answers may not train competing models; read them",
}
UNKNOWN = "not known: read the terms of who serves it, and the licence of its weights"


def terms_of(model: str, endpoint: str) -> str:
    """The terms of a model's answers, by who serves it, else by whose it is."""
    for host, terms in _HOSTS.items():
        if host in endpoint.lower():
            return terms
    return next((terms for name, terms in _MODELS.items() if name in model.lower()), UNKNOWN)
