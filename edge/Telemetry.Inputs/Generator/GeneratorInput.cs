using Telemetry.Edge.Outbox;
using Telemetry.Inputs.Senders;
using Telemetry.Model.Readings;

namespace Telemetry.Inputs.Generator;


/// <summary>
/// Makes readings at a steady rate (see <see cref="GeneratorSeries"/>), for demonstrations and tests. Event times grow
/// strictly from reading to reading, over restarts too where a journal is kept, so that (series, time) names a reading.
/// Runs on the agent's loop.
/// </summary>
public sealed class GeneratorInput : IInput
{
    private const int BatchReadingsMax = 1024;

    // At this many offers under way it makes no more; the readings that fall due meanwhile are not made.
    private const int OffersMax = 16;

    // A thousand years of 365.25 days: the reading keeps a time of its own.
    private const long OldMicros = 31_557_600_000_000_000;

    private readonly GeneratorOptions _options;
    private readonly TimeProvider _time;
    private readonly OutboxWriter _sender;
    private readonly GeneratorSeries?[] _series;
    private readonly ReadingBatch _batch = new(BatchReadingsMax);
    private readonly List<Task> _offers = [];
    private long _lastTime = long.MinValue;
    private long _made;
    private int _nextSeries;
    private int _batches;

    /// <summary>With a journal it goes on where the journal ends.</summary>
    public GeneratorInput(GeneratorOptions options, SenderJournal? journal, TimeProvider time)
    {
        _options = options;
        _sender = new OutboxWriter(journal);
        _time = time;
        _series = new GeneratorSeries?[options.Devices * options.SeriesPerDevice];
        if (journal is not null)
        {
            _lastTime = journal.LastTime;
            _made = journal.Attempted;
        }
    }

    public string Name => "generator";

    public long Acknowledged => _sender.Acknowledged;

    public long Refused => _sender.Refused;

    public async Task RunAsync(ReadingOutbox outbox, CancellationToken cancellationToken)
    {
        // A new outbox may have another list of series.
        Array.Clear(_series);
        var last = _time.GetTimestamp();
        var due = 0.0;
        while (await WaitAsync(cancellationToken))
        {
            var now = _time.GetTimestamp();
            due += _time.GetElapsedTime(last, now).TotalSeconds * _options.ReadingsPerSecond;
            last = now;
            var left = _options.ReadingsMax == 0 ? long.MaxValue : _options.ReadingsMax - _made;
            if (left <= 0)
            {
                return;
            }

            var readings = (int)Math.Min(Math.Min((long)due, left), BatchReadingsMax * OffersMax);
            due -= Math.Truncate(due);
            await OfferAsync(outbox, readings);
        }
    }

    public void Dispose()
    {
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(_options.Interval, _time, cancellationToken);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task OfferAsync(ReadingOutbox outbox, int readings)
    {
        while (readings > 0)
        {
            var count = Math.Min(readings, BatchReadingsMax);
            readings -= count;
            Fill(outbox, count);
            var critical = _options.CriticalEvery > 0 && ++_batches % _options.CriticalEvery == 0;
            _offers.Add(_sender.OfferAsync(outbox, _batch, _options.CommitDeadline, critical));
        }

        try
        {
            await Task.WhenAll(_offers);
        }
        finally
        {
            _offers.Clear();
        }
    }

    private void Fill(ReadingOutbox outbox, int count)
    {
        _batch.Clear();
        var now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        _lastTime = Math.Max(_lastTime, now - count);
        for (var i = 0; i < count; i++)
        {
            var number = _nextSeries;
            _nextSeries = (_nextSeries + 1) % _series.Length;
            var series = _series[number] ??=
                GeneratorSeries.Of(_options, number, outbox.SeriesIndex(GeneratorSeries.Define(_options, number)));
            var old = _options.OldTimeEvery > 0 && (_made + i + 1) % _options.OldTimeEvery == 0;
            series.Next(_batch, ++_lastTime - (old ? OldMicros : 0));
        }

        _made += count;
    }
}
