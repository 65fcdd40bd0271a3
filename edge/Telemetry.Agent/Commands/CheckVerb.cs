using System.CommandLine;
using Telemetry.Agent.Hosting;

namespace Telemetry.Agent.Commands;

/// <summary>The verb <c>check</c>.</summary>
internal static class CheckVerb
{
    public static Command Create<T>(EdgeProgram<T> program, TextWriter output, TextWriter errors)
        where T : class
    {
        var config = EdgeCommandLine.ConfigOption();
        var command = new Command("check", "Says what would keep it from starting; changes nothing.") { config };
        command.SetAction(result =>
        {
            var file = result.GetRequiredValue(config);
            if (program.Options(file, errors) is not { } options)
            {
                return EdgeProcess.Misused;
            }

            List<string> problems = [.. program.Process(options).Problems()];
            problems.ForEach(errors.WriteLine);
            if (problems.Count > 0)
            {
                return EdgeProcess.Misused;
            }

            output.WriteLine($"{file}: {program.Describe(options)}: good");
            return EdgeProcess.Ended;
        });
        return command;
    }
}
