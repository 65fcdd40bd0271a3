using System.CommandLine;
using Telemetry.Runtime.Commands;

namespace Telemetry.Agent.Commands;

/// <summary>
/// The command line of a program of the edge: <c>run --config FILE</c> and <c>check --config FILE</c>. The exit code is
/// 0 for a clean end or nothing wrong, 1 when it could not start or go on, 2 for a wrong command line or configuration.
/// </summary>
public static class EdgeCommandLine
{
    private const string Description = """
        TELEMETRY_AGENT__SECTION__KEY in the environment overrides section.key of the configuration.
        Exit code: 0 a clean end or nothing wrong; 1 it could not start or go on; 2 wrong command line or configuration.
        """;

    /// <summary>Gives the exit code of the process.</summary>
    public static Task<int> RunAsync<T>(
        EdgeProgram<T> program, IReadOnlyList<string> words, TextWriter output, TextWriter errors)
        where T : class =>
        new ProgramCommandLine(
            program.Name, Description, [RunVerb.Create(program, errors), CheckVerb.Create(program, output, errors)])
            .RunAsync(words, output, errors);

    /// <summary>The option <c>--config FILE</c>, which has to be given.</summary>
    internal static Option<string> ConfigOption() => new("--config")
    {
        HelpName = "FILE",
        Description = "The configuration.",
        Required = true,
    };
}
