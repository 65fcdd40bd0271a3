using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// Publishes the alert outbox to the sink, each transition once. The order of durability: the row is committed with its
/// readings → its record and the position are committed in one transaction of the sink → the database records it for
/// people. A relay that ends anywhere in between leaves an open transaction that the next relay aborts, or a position
/// that shows what is done. One loop; its counters may be read on any thread.
/// </summary>
public sealed class AlertRelay(
    IAlertSink sink, IAlertOutbox outbox, RelayOptions options, TimeProvider time, Random random, ILogger logger,
    ReportedFailure? database = null)
{
    private static readonly TimeSpan ReleaseWithin = TimeSpan.FromSeconds(2);

    private readonly RelayLease _lease = new(outbox, options, time, random);
    private readonly RelayBackoff _backoff = new(options.RetryAfter, options.RetryAfterMax, random);
    private readonly ReportedFailure _kafka = new("Kafka cannot be used", "Kafka is used again", time, logger);
    private readonly ReportedFailure _outbox = new(
        "The alert outbox cannot be read", "The alert outbox is read again", time, logger, database);

    private bool _saidStandingBy;

    public RelayCounters Counters { get; } = new();

    /// <summary>The failure that keeps this relay from its work; null while it leads or stands by.</summary>
    public string? Problem { get; private set; } = "beginning";

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(await TurnAsync(cancellationToken), time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop; the turn has given the lease back.
        }
    }

    /// <summary>One attempt to lead, for as long as it lasts. Returns the time to wait before the next one.</summary>
    private async Task<TimeSpan> TurnAsync(CancellationToken cancellationToken)
    {
        var leads = false;
        try
        {
            leads = await _lease.TryTakeAsync(cancellationToken);
            _outbox.Worked();
            if (!leads)
            {
                SayStandingBy();
                return options.LeaseRetry;
            }

            _saidStandingBy = false;
            SayLeaseTaken();
            await LeadAsync(cancellationToken);
            return _backoff.Next();
        }
        catch (RelayLeaseLostException)
        {
            leads = false;
            RelayLog.LeaseLost(logger, options.Name);
            return options.LeaseRetry;
        }
        catch (AlertSinkException e) when (e.Fault == AlertSinkFault.Fenced)
        {
            Counters.Fenced++;
            RelayLog.Fenced(logger);
            return options.LeaseRetry;
        }
        catch (Exception e) when (e is AlertSinkException or StoreException)
        {
            Counters.Errors++;
            Problem = e.Message;
            Failed(e);
            return _backoff.Next();
        }
        finally
        {
            Counters.Leading = 0;
            if (leads)
            {
                await GiveBackAsync();
            }
        }
    }

    private async Task LeadAsync(CancellationToken cancellationToken)
    {
        await using var producer = await sink.BeginAsync(cancellationToken);
        // Only now: older producers are fenced, their commits are complete, and their open transactions are aborted.
        var positions = await sink.ReadPositionsAsync(cancellationToken);
        await _lease.KeepAsync(cancellationToken);
        var extents = await outbox.ExtentsAsync(cancellationToken);
        var starter = new RelayRecovery(sink, outbox, options, Counters, time, logger);
        var start = await starter.FindAsync(
            positions, extents, () => _lease.KeepAsync(cancellationToken), cancellationToken);
        var progress = new RelayProgress(outbox, start, options, Counters, logger);
        if (_kafka.Problem is null && _outbox.Problem is null)
        {
            RelayLog.Leading(logger, positions.Count, progress.Waiting(extents));
        }

        Problem = null;
        Counters.Leading = 1;
        for (var abortedInARow = 0; ;)
        {
            await _lease.KeepAsync(cancellationToken);
            extents = await outbox.ExtentsAsync(cancellationToken);
            if (!progress.Agrees(extents))
            {
                Counters.PutBacks++;
                return;
            }

            // Including what an earlier relay published and did not record, and what a read-back found to be published.
            if (progress.Unnoted() is { Count: > 0 } unnoted)
            {
                await outbox.NoteAsync(unnoted, cancellationToken);
                progress.Noted(unnoted);
            }

            if (await progress.NextAsync(extents, cancellationToken) is not { } batch)
            {
                Counters.PutBacks++;
                return;
            }

            if (batch.Positions.Count == 0)
            {
                _kafka.Worked();
                _outbox.Worked();
                await Task.Delay(options.PollEvery, time, cancellationToken);
                continue;
            }

            try
            {
                await producer.PublishAsync(batch.Records, batch.Positions, cancellationToken);
            }
            catch (AlertSinkException e) when (e.Fault == AlertSinkFault.Aborted && ++abortedInARow < options.AbortsMax)
            {
                Counters.Aborted++;
                RelayLog.Aborted(logger, e.Message);
                await Task.Delay(_backoff.Next(), time, cancellationToken);
                continue;
            }

            abortedInARow = 0;
            _backoff.Reset();
            _kafka.Worked();
            _outbox.Worked();
            Count(batch);
            progress.Passed(batch);
        }
    }

    private void Count(RelayBatch batch)
    {
        Counters.Transactions++;
        Counters.Published += batch.Records.Count;
        Counters.Skipped += batch.Skipped;
    }

    // While something fails, each try takes the lease and gives it back.
    private void SayLeaseTaken()
    {
        if (_kafka.Problem is null && _outbox.Problem is null)
        {
            RelayLog.LeaseTaken(logger, options.Name);
        }
    }

    private void Failed(Exception error)
    {
        if (error is StoreException { IsUnreachable: true } && database is not null)
        {
            database.Failed(error.Message);
        }
        else
        {
            (error is StoreException ? _outbox : _kafka).Failed(error.Message);
        }
    }

    private void SayStandingBy()
    {
        Problem = null;
        if (!_saidStandingBy)
        {
            _saidStandingBy = true;
            RelayLog.StandingBy(logger, options.Name);
        }
    }

    // Also at a stop, so that the next relay need not wait until the lease runs out.
    private async Task GiveBackAsync()
    {
        using var limit = new CancellationTokenSource(ReleaseWithin, time);
        try
        {
            await _lease.ReleaseAsync(limit.Token);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // The lease runs out by itself; the next turn reports the error.
            Counters.Errors++;
        }
    }
}
