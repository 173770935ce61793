"""The connector without its change probe: each stream asks for itself what changed, no list is compared.

python benchmarks/unprobed.py read --config FILE --catalog FILE --state FILE
"""

from source_linear.sync.deletions import Deletions

from source_linear.run import main
from source_linear.source import SourceLinear
from source_linear.sync.probe import Probe

if __name__ == "__main__":
    SourceLinear._probe = lambda self, deletions: Probe({})  # type: ignore[method-assign]
    Deletions.compare = lambda self, *found: None  # type: ignore[method-assign]
    main()
