using Microsoft.Extensions.Logging;
using Telemetry.Model.Protocol;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// How far the owner is behind each stream, looked at beside the transactions. A change of stage is one line of the
/// log; the numbers are metrics and rows of the database.
/// </summary>
internal sealed class StreamLags(LagOptions options, TimeProvider time, ILogger logger)
{
    private readonly Dictionary<(int Partition, StreamKind Kind), Look> _looks = [];

    /// <summary>Looks at one stream; <paramref name="durable"/> is the position that the database has.</summary>
    public async Task<StreamLagRow> LookAsync(
        int partition, PartitionStream stream, StreamState state, StreamPosition durable,
        CancellationToken cancellationToken)
    {
        var same = durable.StreamCreatedNanos == state.CreatedNanos;
        var next = same ? Math.Max(durable.Sequence + 1, state.First) : state.First;
        var messages = Math.Max(0, state.Last - next + 1);
        var oldest = messages == 0 ? null : (await stream.ReadAsync(next, cancellationToken))?.StoredAtNanos;
        var now = time.GetUtcNow();
        var age = oldest is { } at ? now - DateTimeOffset.UnixEpoch.AddTicks(at / 100) : TimeSpan.Zero;
        var key = (partition, stream.Kind);
        var before = _looks.GetValueOrDefault(key);
        double? rate = before is not null && same && before.Created == state.CreatedNanos
            ? Math.Max(0, durable.Sequence - before.Sequence) / time.GetElapsedTime(before.At).TotalSeconds : null;
        var stage = options.Stage(messages, age, state.MaxAge, rate > 0 ? rate : null);
        _looks[key] = new Look(time.GetTimestamp(), state.CreatedNanos, durable.Sequence, stage);
        Report(stream.StreamName, before?.Stage ?? LagStage.None, stage, messages, age, state.MaxAge - age);
        return new StreamLagRow(
            partition, stream.Kind == StreamKind.Live ? "live" : "backlog", messages, age,
            messages > 0 && state.MaxAge > TimeSpan.Zero ? state.MaxAge - age : null, stage);
    }

    /// <summary>Forgets a partition that is not owned any more.</summary>
    public void Forget(int partition)
    {
        _looks.Remove((partition, StreamKind.Live));
        _looks.Remove((partition, StreamKind.Backlog));
    }

    private void Report(
        string stream, LagStage before, LagStage now, long messages, TimeSpan age, TimeSpan left)
    {
        if (now == before)
        {
            return;
        }

        (age, left) = (Seconds(age), Seconds(left));
        switch (now)
        {
            case LagStage.None:
                ProcessingLog.LagGone(logger, stream);
                break;
            case LagStage.Info:
                ProcessingLog.Lags(logger, LogLevel.Information, stream, messages, age);
                break;
            case LagStage.Warning:
                ProcessingLog.Lags(logger, LogLevel.Warning, stream, messages, age);
                break;
            case LagStage.Critical:
                ProcessingLog.LagCritical(logger, stream, messages, age, left);
                break;
            default:
                ProcessingLog.LagOutlivesLog(logger, stream, messages, age);
                break;
        }
    }

    private static TimeSpan Seconds(TimeSpan span) => TimeSpan.FromSeconds(Math.Round(span.TotalSeconds));

    private sealed record Look(long At, long Created, long Sequence, LagStage Stage);
}
