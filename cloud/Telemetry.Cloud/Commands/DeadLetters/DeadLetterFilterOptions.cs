using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Telemetry.Runtime.Settings;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.DeadLetters;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>The options that say which dead letters are meant.</summary>
internal sealed class DeadLetterFilterOptions(TimeProvider time)
{
    private const int LimitMax = 1_000_000;

    private readonly Option<string> _gateway = new("--gateway") { HelpName = "G", Description = "Those of a gateway." };

    private readonly Option<DeadLetterReason?> _reason = ParsedOption.Create<DeadLetterReason>(
        "--reason", "R", "Those of a reason.",
        static text => Enum.TryParse<DeadLetterReason>(text, ignoreCase: true, out var reason)
            && Enum.IsDefined(reason) && !char.IsDigit(text[0]) ? reason : null,
        Reasons());

    private readonly Option<DateTimeOffset?> _since = ParsedOption.Create(
        "--since", "T", "Those that were rejected since a time, or within a span until now.",
        text => SettingUnits.Span(text) is { } span ? time.GetUtcNow() - span : SettingUnits.Time(text),
        "a time (2026-01-31T12:00Z) or a span (90 min, 2 h, 7 d)");

    private readonly Option<int?> _limit = ParsedOption.Create<int>(
        "--limit", "N", "So many at most.",
        static text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit is > 0 and <= LimitMax ? limit : null,
        $"1 to {LimitMax}");

    public void AddTo(Command command)
    {
        command.Add(_gateway);
        command.Add(_reason);
        command.Add(_since);
        command.Add(_limit);
    }

    /// <summary>The filter of a command line; <paramref name="limit"/> unless it has one.</summary>
    public DeadLetterFilter Of(ParseResult result, int limit = LimitMax) => new()
    {
        Gateway = result.GetValue(_gateway),
        Reason = result.GetValue(_reason),
        Since = result.GetValue(_since),
        Limit = result.GetValue(_limit) ?? limit,
    };

    /// <summary>What is wrong with letters named by ids and options both, or by neither; or null.</summary>
    public string? Problem(CommandResult result, Argument ids)
    {
        var words = result.GetResult(ids)?.Tokens ?? [];
        if (words.Any(word => !word.Value.All(char.IsAsciiDigit)))
        {
            // The argument itself says of such a word that it is not an id.
            return null;
        }

        var chosen = result.GetResult(_gateway) is not null || result.GetResult(_reason) is not null;
        return words.Count > 0
            ? chosen || result.GetResult(_since) is not null
                ? $"{result.Command.Name} takes either ids or filters"
                : null
            : chosen ? null : $"{result.Command.Name} takes ids, --gateway or --reason";
    }

    private static string Reasons()
    {
        var names = Enum.GetNames<DeadLetterReason>().Select(name => name.ToLowerInvariant()).ToList();
        return $"{string.Join(", ", names[..^1])} or {names[^1]}";
    }
}
