using System.Globalization;
using Npgsql;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.DeadLetters;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>
/// The command <c>dead-letters</c>: lists them, shows one in full, retries or discards them, beside a cloud at work.
/// The exit code is 0 when all went well, 1 when something was not found or not stored.
/// </summary>
internal sealed class DeadLettersCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    private const int GoneWrong = 1;

    public async Task<int> RunAsync(DeadLetterArguments arguments, CancellationToken cancellationToken)
    {
        if (settings.Database is null)
        {
            await errors.WriteLineAsync("database.connection: is missing");
            return GoneWrong;
        }

        try
        {
            await using var database = NpgsqlDataSource.Create(settings.Database.ConnectionString);
            await using (var connection = await database.OpenConnectionAsync(cancellationToken))
            {
                await CheckVersionAsync(connection, cancellationToken);
            }

            return arguments.Verb switch
            {
                "list" => await ListAsync(database, arguments.Filter, cancellationToken),
                "show" => await ShowAsync(database, arguments.Ids[0], cancellationToken),
                "discard" => await DiscardAsync(database, arguments, cancellationToken),
                _ => await RetryAsync(database, arguments, cancellationToken),
            };
        }
        catch (Exception e) when (e is StoreException || StoreErrors.IsDatabases(e))
        {
            await errors.WriteLineAsync(
                $"the database failed, what was not yet said to be stored is unchanged: {e.Message}");
            return GoneWrong;
        }
    }

    private static async Task CheckVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await MigrationRunner.CheckAsync(connection, migrate: false, cancellationToken);

    private async Task<int> ListAsync(
        NpgsqlDataSource database, DeadLetterFilter filter, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await output.WriteLineAsync(
            "        id  rejected at (UTC)    gateway           reason     readings    bytes  frame; error");
        foreach (var record in await DeadLetterReader.ListAsync(connection, filter, cancellationToken))
        {
            var letter = record.Letter;
            var frame = letter.Frame.Count == 0 ? "in no book" : letter.Frame.ToString();
            var retried = record.RetriedAt is { } at ? $" (stored at {Time(at)})" : "";
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{record.Id,10}  {Time(record.StoredAt)}  {letter.Gateway,-16}  {Name(letter.Reason),-9}  "
                + $"{letter.Readings,8}  {record.Bytes,7}  {frame}; {OneLine(letter.Error)}{retried}"));
        }

        return 0;
    }

    private async Task<int> ShowAsync(NpgsqlDataSource database, long id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await DeadLetterReader.FindAsync(connection, [id], cancellationToken) is not [{ } record])
        {
            await errors.WriteLineAsync($"there is no dead letter {id}");
            return GoneWrong;
        }

        var schemas = new LetterSchemas(connection, record.Letter.Gateway);
        var content = await LetterContent.ReadAsync(record.Letter, schemas, cancellationToken);
        await output.WriteAsync(DeadLetterText.Of(record, content));
        return 0;
    }

    private async Task<int> RetryAsync(
        NpgsqlDataSource database, DeadLetterArguments arguments, CancellationToken cancellationToken)
    {
        var retry = new DeadLetterRetry(
            database, new ReadingCheck(settings.Processor.TimeFirst, settings.Processor.TimeLast));
        long stored = 0, refused = 0;
        await foreach (var (gateway, ids) in GroupsAsync(database, arguments, cancellationToken))
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
        return refused == 0 ? 0 : GoneWrong;
    }

    private async Task<int> DiscardAsync(
        NpgsqlDataSource database, DeadLetterArguments arguments, CancellationToken cancellationToken)
    {
        var discard = new DeadLetterDiscard(database);
        long letters = 0, readings = 0, missing = 0;
        await foreach (var (gateway, ids) in GroupsAsync(database, arguments, cancellationToken))
        {
            var removed = await discard.RunAsync(
                gateway, ids, arguments.Note, Environment.UserName, cancellationToken);
            letters += removed.Count;
            readings += removed.Sum(r => (long)r.Readings);
            foreach (var id in ids.Except(removed.Select(r => r.Id)))
            {
                missing++;
                await output.WriteLineAsync($"{id}: there is none of this id");
            }
        }

        await output.WriteLineAsync($"{letters} letters discarded; {readings} readings stay rejected in the books");
        return missing == 0 ? 0 : GoneWrong;
    }

    /// <summary>
    /// Letters of one gateway each, at most <see cref="DeadLetterRetry.LettersMax"/>; each letter once. Ids that there
    /// are not come with no gateway.
    /// </summary>
    private async IAsyncEnumerable<(string Gateway, IReadOnlyList<long> Ids)> GroupsAsync(
        NpgsqlDataSource database, DeadLetterArguments arguments,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (arguments.Ids.Count > 0)
        {
            var found = await DeadLetterReader.FindAsync(connection, arguments.Ids, cancellationToken);
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
            var page = await DeadLetterReader.IdsAsync(connection, filter, cancellationToken);
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
