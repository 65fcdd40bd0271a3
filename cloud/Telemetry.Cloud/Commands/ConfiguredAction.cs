using System.CommandLine;
using System.Runtime.InteropServices;
using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Commands;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Commands;

/// <summary>What the verbs that need a configuration have in common: its option, its problems, and a stop.</summary>
internal sealed class ConfiguredAction(TextWriter errors)
{
    public const string OptionName = "--config";

    private readonly Option<string> _file = new(OptionName)
    {
        HelpName = "FILE",
        Description = "The configuration; ./telemetry.json unless given.",
        Recursive = true,
    };

    /// <summary>Lets a command, and those below it, take the option.</summary>
    public Command Add(Command command)
    {
        command.Options.Add(_file);
        return command;
    }

    /// <summary>
    /// Does <paramref name="work"/> with the settings, which SIGTERM and SIGINT cancel; where there are problems with
    /// them, says these.
    /// </summary>
    public async Task<int> RunAsync(ParseResult result, Func<CloudSettings, CancellationToken, Task<int>> work)
    {
        var tree = SettingsTree.Load(
            result.GetValue(_file) ?? "telemetry.json", CloudConfiguration.EnvironmentPrefix,
            Environment.GetEnvironmentVariables());
        if (CloudConfiguration.Read(tree, out var problems) is not { } settings)
        {
            foreach (var problem in problems)
            {
                errors.WriteLine(problem);
            }

            return ProgramCommandLine.Misused;
        }

        using var stop = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        return await work(settings, stop.Token);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }
}
