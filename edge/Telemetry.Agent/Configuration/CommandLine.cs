using System.Collections;
using System.Reflection;

namespace Telemetry.Agent.Configuration;

/// <summary>
/// What an edge program was asked to do: <c>run --config FILE</c>, <c>check --config FILE</c>, <c>--help</c> or
/// <c>--version</c>.
/// </summary>
public sealed record CommandLine(bool Check, string ConfigurationFile)
{
    /// <summary>Null when the arguments are none of ours.</summary>
    public static CommandLine? Parse(IReadOnlyList<string> arguments) => arguments switch
    {
        ["run", "--config", var file] => new CommandLine(false, file),
        ["check", "--config", var file] => new CommandLine(true, file),
        _ => null,
    };

    /// <summary>
    /// Answers what needs no configuration: help and version on the output with code 0, anything else that is no
    /// command on the errors with code 2.
    /// </summary>
    public static int Answer(string program, IReadOnlyList<string> arguments, TextWriter output, TextWriter errors)
    {
        switch (arguments)
        {
            case ["--help" or "-h" or "help"]:
                output.WriteLine(Usage(program));
                return 0;
            case ["--version" or "version"]:
                output.WriteLine($"{program} {Version}");
                return 0;
            case []:
                errors.WriteLine(Usage(program));
                return 2;
            default:
                errors.WriteLine($"'{string.Join(' ', arguments)}' is no command of {program}\n{Usage(program)}");
                return 2;
        }
    }

    private static string Version =>
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            .Split('+')[0] ?? "unknown";

    private static string Usage(string program) => $"""
        usage: {program} run --config FILE      works until it is stopped
               {program} check --config FILE    says what would keep it from starting; changes nothing
               {program} --help | --version
        TELEMETRY_AGENT__SECTION__KEY in the environment overrides section.key of the file.
        Exit codes: 0 a clean end or nothing wrong, 1 it could not start or go on, 2 a wrong command or configuration.
        """;

    /// <summary>Reads the options and prints what is wrong with them, by key; null when something is.</summary>
    public T? Read<T>(Func<ConfigurationReader, T> read, IDictionary environment, TextWriter errors)
        where T : class
    {
        var reader = new ConfigurationReader(ConfigurationTree.Load(ConfigurationFile, environment));
        var options = read(reader);
        foreach (var problem in reader.Problems)
        {
            errors.WriteLine(problem);
        }

        return reader.Problems.Count == 0 ? options : null;
    }
}
