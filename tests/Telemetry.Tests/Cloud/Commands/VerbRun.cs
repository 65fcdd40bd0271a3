using System.CommandLine;
using Telemetry.Cloud.Commands;
using Telemetry.Runtime.Commands;

namespace Telemetry.Tests.Cloud.Commands;

/// <summary>What a verb is given for a line of words, and the errors of lines that it does not take.</summary>
internal static class VerbRun
{
    /// <summary>The errors, one a line; the verb is not run then.</summary>
    public static string Errors<T>(Func<VerbAction<T>, Command> create, string words)
    {
        var result = Parse(create((_, _, _) => throw new InvalidOperationException("it was run")), Split(words));
        Assert.NotEmpty(result.Errors);
        return string.Join('\n', result.Errors.Select(error => error.Message));
    }

    /// <summary>What the verb is given.</summary>
    public static T Arguments<T>(Func<VerbAction<T>, Command> create, string words) =>
        Arguments(create, Split(words));

    /// <inheritdoc cref="Arguments{T}(Func{VerbAction{T}, Command}, string)"/>
    public static T Arguments<T>(Func<VerbAction<T>, Command> create, IReadOnlyList<string> words)
    {
        var taken = new List<T>();
        var result = Parse(create((arguments, _, _) => Task.FromResult(Take(arguments))), words);
        Assert.Empty(result.Errors);
        Assert.Equal(7, result.Invoke());
        return Assert.Single(taken);

        int Take(T arguments)
        {
            taken.Add(arguments);
            return 7;
        }
    }

    private static string[] Split(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static ParseResult Parse(Command command, IReadOnlyList<string> words) =>
        command.Parse(words, ProgramCommandLine.Parsing);
}
