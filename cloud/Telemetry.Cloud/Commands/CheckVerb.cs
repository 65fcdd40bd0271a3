using System.CommandLine;

namespace Telemetry.Cloud.Commands;

/// <summary>The verb <c>check</c>.</summary>
internal static class CheckVerb
{
    public static Command Create(Func<ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command("check", "Says whether configuration, NATS and database are well; changes nothing.");
        command.SetAction(run);
        return command;
    }
}
