"""The connector without its change probe, as it was before: each stream asks for itself whether it changed.

python benchmarks/unprobed.py read --config FILE --catalog FILE --state FILE
"""

from source_linear.run import main
from source_linear.source import SourceLinear
from source_linear.sync.probe import Probe

if __name__ == "__main__":
    SourceLinear._probe = lambda self: Probe({})  # type: ignore[method-assign]
    main()
