using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>The verbs <c>dead-letters list</c>, <c>show</c>, <c>retry</c> and <c>discard</c>.</summary>
internal static class DeadLettersVerb
{
    private const int ListedMax = 100;

    public static Command Create(TimeProvider time, VerbAction<DeadLetterArguments> run) =>
        new("dead-letters", "What was rejected, and why.")
        {
            List(time, run), Show(run), Retry(time, run), Discard(time, run),
        };

    private static Command List(TimeProvider time, VerbAction<DeadLetterArguments> run)
    {
        var filter = new DeadLetterFilterOptions(time);
        var retried = new Option<bool>("--retried") { Description = "Those too that were stored since." };
        var command = new Command("list", $"Lists them, {ListedMax} unless --limit says otherwise.") { retried };
        filter.AddTo(command);
        command.SetAction((result, cancellationToken) => run(
            new DeadLetterArguments
            {
                Verb = command.Name,
                Filter = filter.Of(result, ListedMax) with { Retried = result.GetValue(retried) },
            },
            result, cancellationToken));
        return command;
    }

    private static Command Show(VerbAction<DeadLetterArguments> run)
    {
        var id = new Argument<IReadOnlyList<long>>("ID")
        {
            Description = "Its id.",
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = Ids,
        };
        var command = new Command("show", "Shows one in full.") { id };
        command.SetAction((result, cancellationToken) => run(
            new DeadLetterArguments { Verb = command.Name, Ids = result.GetRequiredValue(id) }, result,
            cancellationToken));
        return command;
    }

    private static Command Retry(TimeProvider time, VerbAction<DeadLetterArguments> run)
    {
        var (command, ids, filter) = OfMany("retry", "Stores what can be stored now.", time);
        command.SetAction((result, cancellationToken) => run(
            new DeadLetterArguments
            {
                Verb = command.Name,
                Ids = result.GetValue(ids) ?? [],
                Filter = filter.Of(result),
            },
            result, cancellationToken));
        return command;
    }

    private static Command Discard(TimeProvider time, VerbAction<DeadLetterArguments> run)
    {
        var (command, ids, filter) = OfMany("discard", "Removes them for good; their readings stay rejected.", time);
        var note = NoteOption.Create();
        command.Add(note);
        command.SetAction((result, cancellationToken) => run(
            new DeadLetterArguments
            {
                Verb = command.Name,
                Ids = result.GetValue(ids) ?? [],
                Filter = filter.Of(result),
                Note = result.GetRequiredValue(note),
            },
            result, cancellationToken));
        return command;
    }

    private static (Command Command, Argument<IReadOnlyList<long>> Ids, DeadLetterFilterOptions Filter) OfMany(
        string name, string description, TimeProvider time)
    {
        var filter = new DeadLetterFilterOptions(time);
        var ids = new Argument<IReadOnlyList<long>>("ID")
        {
            Description = "Ids; or --gateway or --reason says which.",
            Arity = ArgumentArity.ZeroOrMore,
            CustomParser = Ids,
        };
        var command = new Command(name, description) { ids };
        filter.AddTo(command);
        command.Validators.Add(result =>
        {
            if (filter.Problem(result, ids) is { } problem)
            {
                result.AddError(problem);
            }
        });
        return (command, ids, filter);
    }

    private static IReadOnlyList<long> Ids(ArgumentResult result)
    {
        var ids = new List<long>();
        foreach (var token in result.Tokens)
        {
            if (long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                ids.Add(id);
            }
            else
            {
                result.AddError($"'{token.Value}' is not an id (a whole number) or an option of this command");
            }
        }

        return ids;
    }
}
