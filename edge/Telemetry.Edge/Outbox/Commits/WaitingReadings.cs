using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox.Commits;

/// <summary>
/// Readings that wait for a commit, and the offers that wait with them. Reused, so that after a warm-up nothing is
/// allocated for each reading.
/// </summary>
internal sealed class WaitingReadings
{
    private readonly List<TaskCompletionSource<OfferOutcome>> _offers = [];

    public SortedBatch Ordinary { get; } = new();

    public SortedBatch Critical { get; } = new();

    /// <summary>The requests to remember with the readings.</summary>
    public List<AnsweredRequest> Requests { get; } = [];

    public int Count => Ordinary.Batch.Count + Critical.Batch.Count;

    /// <summary>Their bytes of text.</summary>
    public long TextBytes => (long)Ordinary.Batch.TextBytes + Critical.Batch.TextBytes;

    /// <summary>About how many bytes they take in the file, for the quota.</summary>
    public long Bytes => OfferBytes.Of(Ordinary.Batch) + OfferBytes.Of(Critical.Batch);

    /// <summary>The timestamp of the earliest commit deadline; long.MaxValue when nothing waits.</summary>
    public long DueAt { get; private set; } = long.MaxValue;

    /// <summary>The timestamp of the first offer that waits; long.MaxValue when none waits.</summary>
    public long Since { get; private set; } = long.MaxValue;

    public Task<OfferOutcome> Add(
        ReadingBatch readings, ReadOnlySpan<MetricType> types, bool critical, long now, long dueAt,
        AnsweredRequest? request)
    {
        if (request is not null)
        {
            Requests.Add(request);
        }

        var into = (critical ? Critical : Ordinary).Batch;
        var series = readings.Series;
        for (var row = 0; row < series.Length; row++)
        {
            into.AddFrom(readings, row, types[series[row]]);
        }

        DueAt = Math.Min(DueAt, dueAt);
        Since = Math.Min(Since, now);
        var offer = new TaskCompletionSource<OfferOutcome>();
        _offers.Add(offer);
        return offer.Task;
    }

    /// <summary>The readings are durable or refused: the offers complete.</summary>
    public void Complete(OfferOutcome outcome)
    {
        Ordinary.Batch.Clear();
        Critical.Batch.Clear();
        Requests.Clear();
        DueAt = long.MaxValue;
        Since = long.MaxValue;

        // An offer's continuation may run here and now, so the state must be consistent before it does.
        for (var i = 0; i < _offers.Count; i++)
        {
            _offers[i].TrySetResult(outcome);
        }

        _offers.Clear();
    }

    public void Fail(OutboxException failure)
    {
        for (var i = 0; i < _offers.Count; i++)
        {
            _offers[i].TrySetException(failure);
        }

        _offers.Clear();
    }
}
