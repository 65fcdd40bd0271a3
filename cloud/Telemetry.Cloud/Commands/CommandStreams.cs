namespace Telemetry.Cloud.Commands;

/// <summary>Where a command reads and writes.</summary>
internal sealed record CommandStreams(TextReader Input, TextWriter Output, TextWriter Errors);
