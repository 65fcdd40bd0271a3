using System.CommandLine;

namespace Telemetry.Cloud.Commands;

/// <summary>What a verb does with its arguments; gives the exit code.</summary>
internal delegate Task<int> VerbAction<in T>(T arguments, ParseResult result, CancellationToken cancellationToken);
