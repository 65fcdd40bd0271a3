using System.Globalization;
using System.Runtime.CompilerServices;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.DeadLetters;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>
/// The command <c>dead-letters</c>: lists them, shows one in full, retries or discards them, beside a cloud at work.
/// The exit code is 0 when all went well, 1 when something was not found or not stored.
/// </summary>
internal sealed class DeadLettersCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    public Task<int> RunAsync(DeadLetterArguments arguments, CancellationToken cancellationToken) =>
        OperatorCommand.RunAsync(
            settings, errors, "what was not yet said to be stored is unchanged",
            database => arguments.Verb switch
            {
                "list" => ListAsync(database.DeadLetters, arguments.Filter, cancellationToken),
                "show" => ShowAsync(database.DeadLetters, arguments.Ids[0], cancellationToken),
                "discard" => DiscardAsync(database, arguments, cancellationToken),
                _ => RetryAsync(database, arguments, cancellationToken),
            },
            cancellationToken);

    private async Task<int> ListAsync(
        DeadLetterReader letters, DeadLetterFilter filter, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync(
            "        id  rejected at (UTC)    gateway           reason     readings    bytes  frame; error");
        foreach (var record in await letters.ListAsync(filter, cancellationToken))
        {
            var letter = record.Letter;
            var frame = letter.Frame.Count == 0 ? "not in the books" : letter.Frame.ToString();
            var retried = record.RetriedAt is { } at ? $" (stored at {Time(at)})" : "";
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{record.Id,10}  {Time(record.StoredAt)}  {letter.Gateway,-16}  {Name(letter.Reason),-9}  "
                + $"{letter.Readings,8}  {record.Bytes,7}  {frame}; {OneLine(letter.Error)}{retried}"));
        }

        return 0;
    }

    private async Task<int> ShowAsync(DeadLetterReader letters, long id, CancellationToken cancellationToken)
    {
        if (await letters.FindAsync([id], cancellationToken) is not [{ } record])
        {
            await errors.WriteLineAsync($"dead letter {id} does not exist");
            return OperatorCommand.GoneWrong;
        }

        var content = await letters.ContentAsync(record.Letter, cancellationToken);
        await output.WriteAsync(DeadLetterText.Of(record, content));
        return 0;
    }

    private async Task<int> RetryAsync(
        OperatorDatabase database, DeadLetterArguments arguments, CancellationToken cancellationToken)
    {
        var retry = database.Retry(new ReadingCheck(settings.Processor.TimeFirst, settings.Processor.TimeLast));
        long stored = 0, refused = 0;
        await foreach (var (gateway, ids) in GroupsAsync(database.DeadLetters, arguments, cancellationToken))
        {
            await foreach (var outcome in retry.RunAsync(gateway, ids, cancellationToken))
            {
                await output.WriteLineAsync(outcome.Why is null
                    ? $"{outcome.Id}: {outcome.Stored} stored"
                    : $"{outcome.Id}: unchanged: {OneLine(outcome.Why)}");
                stored += outcome.Stored;
                refused += outcome.Why is null ? 0 : 1;
            }
        }

        await output.WriteLineAsync($"{stored} readings stored, {refused} letters unchanged");
        return refused == 0 ? 0 : OperatorCommand.GoneWrong;
    }

    private async Task<int> DiscardAsync(
        OperatorDatabase database, DeadLetterArguments arguments, CancellationToken cancellationToken)
    {
        long letters = 0, readings = 0, missing = 0;
        await foreach (var (gateway, ids) in GroupsAsync(database.DeadLetters, arguments, cancellationToken))
        {
            var removed = await database.Discard.RunAsync(
                gateway, ids, arguments.Note, Environment.UserName, cancellationToken);
            letters += removed.Count;
            readings += removed.Sum(r => (long)r.Readings);
            foreach (var id in ids.Except(removed.Select(r => r.Id)))
            {
                missing++;
                await output.WriteLineAsync($"{id}: not the id of a dead letter");
            }
        }

        await output.WriteLineAsync($"{letters} letters discarded; {readings} readings stay rejected in the books");
        return missing == 0 ? 0 : OperatorCommand.GoneWrong;
    }

    /// <summary>
    /// Letters of one gateway each, at most <see cref="DeadLetterRetry.LettersMax"/>; each letter once. Ids that there
    /// are not come with no gateway.
    /// </summary>
    private static async IAsyncEnumerable<(string Gateway, IReadOnlyList<long> Ids)> GroupsAsync(
        DeadLetterReader letters, DeadLetterArguments arguments,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (arguments.Ids.Count > 0)
        {
            var found = await letters.FindAsync(arguments.Ids, cancellationToken);
            foreach (var missing in arguments.Ids.Except(found.Select(f => f.Id)))
            {
                yield return ("", [missing]);
            }

            foreach (var group in found.GroupBy(f => f.Letter.Gateway.Value))
            {
                foreach (var ids in group.Select(f => f.Id).Chunk(DeadLetterRetry.LettersMax))
                {
                    yield return (group.Key, ids);
                }
            }

            yield break;
        }

        var left = arguments.Filter.Limit;
        for (long after = 0; left > 0;)
        {
            var filter = arguments.Filter with { After = after, Limit = Math.Min(left, DeadLetterRetry.LettersMax) };
            var page = await letters.IdsAsync(filter, cancellationToken);
            foreach (var group in page.GroupBy(p => p.Gateway))
            {
                yield return (group.Key, [.. group.Select(p => p.Id)]);
            }

            left = page.Count < filter.Limit ? 0 : left - page.Count;
            after = page.Count > 0 ? page[^1].Id : after;
        }
    }

    internal static string Name(DeadLetterReason reason) => reason.ToString().ToLowerInvariant();

    internal static string Time(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
