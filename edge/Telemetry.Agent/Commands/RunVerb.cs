using System.CommandLine;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime;

namespace Telemetry.Agent.Commands;

/// <summary>The verb <c>run</c>.</summary>
internal static class RunVerb
{
    public static Command Create<T>(EdgeProgram<T> program, TextWriter errors)
        where T : class
    {
        var config = EdgeCommandLine.ConfigOption();
        var command = new Command("run", "Works until it is stopped.") { config };
        command.SetAction(async (result, _) =>
        {
            if (program.Options(result.GetRequiredValue(config), errors) is not { } options)
            {
                return EdgeProcess.Misused;
            }

            using var logging = EdgeProcess.Logging();
            return await program.Process(options).RunAsync(logging, SystemRandom.Instance);
        });
        return command;
    }
}
