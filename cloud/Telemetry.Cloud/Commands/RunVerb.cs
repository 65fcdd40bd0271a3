using System.CommandLine;

namespace Telemetry.Cloud.Commands;

/// <summary>The verb <c>run</c>.</summary>
internal static class RunVerb
{
    public static Command Create(Func<ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command("run", "Runs the roles of the configuration until SIGTERM.");
        command.SetAction(run);
        return command;
    }
}
