"""source-linear: an Airbyte source connector for Linear, the issue tracker."""
