using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;

namespace Telemetry.Runtime.Commands;

/// <summary>
/// The command line of a program: help and version go to the output with exit code 0; problems of a wrong command line
/// go to the errors with exit code 2.
/// </summary>
public sealed class ProgramCommandLine
{
    /// <summary>The exit code for a wrong command line or configuration.</summary>
    public const int Misused = 2;

    /// <summary>A word that begins with @ is a word, not a file with more of them; -ab is not -a -b.</summary>
    public static readonly ParserConfiguration Parsing =
        new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    // Not a RootCommand: that one names itself after the file without its extension, which leaves "Telemetry" of a
    // native program called Telemetry.Agent.
    private readonly Command _root;

    /// <summary>The verbs of a program, under the name that it was called by.</summary>
    public ProgramCommandLine(ProgramName program, string description, IEnumerable<Command> verbs)
    {
        _root = new Command(program.Called, description)
        {
            new HelpOption(),
            new VersionOption { Action = new VersionAction(program.Name) },
        };
        foreach (var verb in verbs)
        {
            _root.Subcommands.Add(verb);
        }
    }

    /// <summary>Runs the verb that the words name; gives the exit code.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> words, TextWriter output, TextWriter errors)
    {
        var result = _root.Parse(words is ["help" or "version"] ? [$"--{words[0]}"] : words, Parsing);
        if (result.Action is ParseErrorAction)
        {
            foreach (var error in result.Errors.Select(error => error.Message).Distinct())
            {
                errors.WriteLine(error);
            }

            errors.WriteLine($"{PathOf(result.CommandResult)} --help shows the usage");
            return Misused;
        }

        // Signals are the verbs' own matter: each ends in its way. An unexpected exception ends the process.
        return await result.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = errors,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private static string PathOf(CommandResult result) => result.Parent is CommandResult parent
        ? $"{PathOf(parent)} {result.Command.Name}"
        : result.Command.Name;

    private sealed class VersionAction(string program) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            // All projects have one version. Behind the + stands the commit.
            var version = typeof(ProgramCommandLine).Assembly
                .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
            parseResult.InvocationConfiguration.Output.WriteLine($"{program} {version}");
            return 0;
        }
    }
}
