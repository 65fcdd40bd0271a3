using Npgsql;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Retention;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>
/// Removes readings and parts of windows that are older than the rules keep them: whole weeks (plain PostgreSQL) or
/// chunks (TimescaleDB) when all that is in them is old enough, else the rows of those series that are. Each
/// transaction counts what it removes; after a crash the next run goes on. One process at a time. See
/// docs/adr/0051-retention-counts-what-it-removes.md.
/// </summary>
public sealed class RetentionJob
{
    private const long AdvisoryLock = 0x7465_6c65_7265_7469; // "telereti"

    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    private readonly PostgresStoreOptions _options;
    private readonly bool _hasDevice;
    private readonly DatabaseEdition _edition;
    private readonly TimeProvider _time;
    private readonly UpkeepSession _session;
    private long _readings, _parts;

    internal RetentionJob(PostgresStoreOptions options, bool hasDevice, DatabaseEdition edition, TimeProvider time)
    {
        (_options, _hasDevice, _edition, _time) = (options, hasDevice, edition, time);
        _session = new UpkeepSession(
            options,
            new UpkeepWork(
                "remove what retention does not keep", AdvisoryLock, options.IndexingTimeout,
                options.RetentionPercent),
            time);
    }

    /// <summary>How many readings were removed.</summary>
    public long Readings => Interlocked.Read(ref _readings);

    /// <summary>How many parts of windows were removed.</summary>
    public long Parts => Interlocked.Read(ref _parts);

    /// <summary>
    /// Removes what is old enough. Does nothing while another process does it; the next run continues after an error.
    /// </summary>
    public async Task<RetentionReport> RunAsync(RetentionRules rules, CancellationToken cancellationToken) =>
        await _session.RunAsync(connection => RunAsync(connection, rules, cancellationToken), cancellationToken)
            ?? RetentionReport.Nothing;

    // Readings first: where theirs go, their late revisions have done what they are for.
    private async Task<RetentionReport> RunAsync(
        NpgsqlConnection connection, RetentionRules rules, CancellationToken cancellationToken)
    {
        var late = await LateReadings.FindAsync(connection, cancellationToken);
        var groups = await RetentionGroups.LoadAsync(connection, rules, cancellationToken);
        var readings = await RunAsync(
            connection, RetainedTable.Readings(_hasDevice), groups.FindAll(g => g.Width == 0), late, cancellationToken);
        var parts = await RunAsync(
            connection, RetainedTable.Parts, groups.FindAll(g => g.Width > 0), late, cancellationToken);
        var delayed = readings.IsDelayed || parts.IsDelayed;
        if (!delayed)
        {
            await late.DoneAsync(connection, _options.RetentionRowsMax, cancellationToken);
        }

        return new RetentionReport(
            readings.Removed, parts.Removed, readings.Dropped + parts.Dropped, delayed, readings.Oldest);
    }

    private async Task<Done> RunAsync(
        NpgsqlConnection connection, RetainedTable table, List<RetentionGroup> groups, LateReadings late,
        CancellationToken cancellationToken)
    {
        var done = new Done();
        var work = new PieceRemoval(connection, table, _edition, _options, _session, _time);
        foreach (var piece in await table.ListAsync(connection, _edition, cancellationToken))
        {
            var outcome = PieceOutcome.Kept;
            var expired = piece.IsBounded ? groups.FindAll(g => g.Expired >= piece.To) : groups;
            var due = expired.Select(g => !piece.IsBounded || g.Done < piece.To ? g : late.Of(g, piece))
                .OfType<RetentionGroup>().ToList();
            if (due.Count > 0)
            {
                outcome = await work.RunAsync(
                    piece, due, expired, g => piece.IsBounded ? piece.To : WeekOf(g.Expired), Count,
                    cancellationToken);
            }

            done.Dropped += outcome == PieceOutcome.Dropped ? 1 : 0;
            done.Oldest ??= piece.IsBounded && outcome != PieceOutcome.Dropped ? piece.From : null;
            if (outcome == PieceOutcome.Delayed)
            {
                // The next run begins with it: what is done is told by one time.
                done.IsDelayed = true;
                break;
            }
        }

        return done;

        void Count(long removed)
        {
            done.Removed += removed;
            Interlocked.Add(ref table.IsParts ? ref _parts : ref _readings, removed);
        }
    }

    private static DateTime WeekOf(DateTime t) => t.AddTicks(-((t - DateTime.UnixEpoch).Ticks % Week.Ticks));

    private sealed class Done
    {
        public long Removed;
        public int Dropped;
        public bool IsDelayed;
        public DateTime? Oldest;
    }
}
