using System.Globalization;
using Telemetry.Runtime.Settings;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.DeadLetters;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>What the command <c>dead-letters</c> was asked for.</summary>
internal sealed record DeadLetterArguments
{
    private const int LimitMax = 1_000_000;

    /// <summary><c>list</c>, <c>show</c>, <c>retry</c> or <c>discard</c>.</summary>
    public string Verb { get; private init; } = "";

    /// <summary>The letters named by id.</summary>
    public IReadOnlyList<long> Ids { get; private init; } = [];

    /// <summary>The others.</summary>
    public DeadLetterFilter Filter { get; private init; } = new();

    /// <summary>Why letters are discarded, in the operator's words.</summary>
    public string Note { get; private init; } = "";

    /// <summary>Reads them; says what is wrong, or null.</summary>
    public static string? Read(ReadOnlySpan<string> words, DateTimeOffset now, out DeadLetterArguments arguments)
    {
        arguments = new DeadLetterArguments();
        if (words is not [("list" or "show" or "retry" or "discard") and var verb, ..])
        {
            return "list, show, retry or discard is needed";
        }

        arguments =
            arguments with { Verb = verb, Filter = new DeadLetterFilter { Limit = verb == "list" ? 100 : LimitMax } };
        for (var i = 1; i < words.Length; i++)
        {
            var word = words[i];
            if (word == "--retried")
            {
                arguments = arguments with { Filter = arguments.Filter with { Retried = true } };
            }
            else if (word.StartsWith("--", StringComparison.Ordinal))
            {
                if (++i == words.Length)
                {
                    return $"{word} needs a value";
                }

                if (word == "--note" && verb == "discard")
                {
                    arguments = arguments with { Note = words[i] };
                    continue;
                }

                if (Filtered(arguments.Filter, word, words[i], now, out var filter) is { } problem)
                {
                    return problem;
                }

                arguments = arguments with { Filter = filter };
            }
            else if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                arguments = arguments with { Ids = [.. arguments.Ids, id] };
            }
            else
            {
                return $"'{word}' is no id";
            }
        }

        return arguments.Problem();
    }

    private string? Problem() => (Verb, Ids.Count) switch
    {
        ("list", > 0) => "list takes no ids; show does",
        ("show", not 1) => "show takes one id",
        ("discard", _) when string.IsNullOrWhiteSpace(Note) => "discard needs --note: it stands in the audit",
        ("discard", 0) when Filter is { Gateway: null, Reason: null } => "discard takes ids, --gateway or --reason",
        ("discard", > 0) when Filter is not
        {
            Gateway: null, Reason: null,
            Since: null
        } => "discard takes either ids or filters",
        ("retry", 0) when Filter is { Gateway: null, Reason: null } => "retry takes ids, --gateway or --reason",
        ("retry", > 0) when Filter is not
        {
            Gateway: null, Reason: null,
            Since: null
        } => "retry takes either ids or filters",
        ("retry", _) when Filter.Retried => "retry takes no --retried: what was retried is stored",
        _ => null,
    };

    private static string? Filtered(
        DeadLetterFilter filter, string option, string value, DateTimeOffset now, out DeadLetterFilter filtered)
    {
        filtered = filter;
        switch (option)
        {
            case "--gateway":
                filtered = filter with { Gateway = value };
                return null;
            case "--reason" when Enum.TryParse<DeadLetterReason>(value, ignoreCase: true, out var reason)
                && Enum.IsDefined(reason) && !char.IsDigit(value[0]):
                filtered = filter with { Reason = reason };
                return null;
            case "--reason":
                return $"--reason: '{value}' is not allowed; value, time, malformed, fork and database are";
            case "--since" when Since(value, now) is { } since:
                filtered = filter with { Since = since };
                return null;
            case "--since":
                return $"--since: '{value}' is not allowed; a time (2026-01-31T12:00Z) or a span (90 min, 2 h, 7 d) is";
            case "--limit" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                && limit is > 0 and <= LimitMax:
                filtered = filter with { Limit = limit };
                return null;
            case "--limit":
                return $"--limit: '{value}' is not allowed; 1 to {LimitMax} is";
            default:
                return $"{option} is no option of dead-letters";
        }
    }

    private static DateTimeOffset? Since(string text, DateTimeOffset now) =>
        SettingUnits.Span(text) is { } span ? now - span
        : DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            ? time
            : null;
}
