using System.Text;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Simulated;

public sealed class SimulatedStoreContractTests : StoreContract
{
    protected override Task RunAsync(Func<IStoreUnderTest, Task> test)
    {
        var pump = new Pump();
        pump.Run(() => test(new UnderTest(pump)));
        return Task.CompletedTask;
    }

    private sealed class UnderTest(Pump pump) : IStoreUnderTest
    {
        private readonly SimulatedStore _store = new(pump, new Random(1));

        public IStore Store => _store;

        public Task<IStore> OpenAnother() => Task.FromResult<IStore>(_store);

        public Task PassTime(TimeSpan time) => Task.Delay(time, pump.Clock);

        public Task Pause() => Task.Delay(TimeSpan.FromMilliseconds(20), pump.Clock);

        public async Task<IAsyncDisposable> BeginHolding(PartitionRow row)
        {
            var commit = new StoreCommit { Partitions = { StoreSteps.Step(row) } };
            _store.Freezes = _ => true;
            var running = _store.CommitAsync(commit, default);
            while (!_store.Held.Hold(row.Partition))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), pump.Clock);
            }

            _store.Freezes = _ => false;
            return new Holding(_store, running);
        }

        public bool NamesReadings => false;

        public Task RefuseTime(long micros)
        {
            _store.Refuses = commit => commit.Readings.Times.Contains(micros) ? $"23514 time {micros}" : null;
            return Task.CompletedTask;
        }

        public Task RefuseDevice(string device)
        {
            _store.RefusesSeries = s => s.Definition.Device == device ? $"23514 device {device}" : null;
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<StoredReading>> ReadAllReadings() => Task.FromResult<IReadOnlyList<StoredReading>>(
            [.. SimulatedDatabase.All(_store.Content.Readings).Select(Look)]);

        public Task<IReadOnlyList<DeadLetterRow>> ReadAllDeadLetters() => Task.FromResult<IReadOnlyList<DeadLetterRow>>(
            [.. SimulatedDatabase.All(_store.Content.DeadLetters)]);

        public Task<IReadOnlyList<DropLedgerRow>> ReadAllDrops() => Task.FromResult<IReadOnlyList<DropLedgerRow>>(
            [.. SimulatedDatabase.All(_store.Content.Drops)]);

        public Task<IReadOnlyList<StoredPart>> ReadAllParts() => Task.FromResult<IReadOnlyList<StoredPart>>(
            [.. _store.Content.Parts.Values.SelectMany(p => p).Select(StoredPart.Of)]);

        public Task<IReadOnlyList<StoredRevision>> ReadAllRevisions() => Task.FromResult<IReadOnlyList<StoredRevision>>(
            [.. SimulatedDatabase.All(_store.Content.Revisions).Select(StoredRevision.Of)]);

        public Task<IReadOnlyList<AlertOutboxRow>> ReadAlertOutbox() => Task.FromResult<IReadOnlyList<AlertOutboxRow>>(
            [.. _store.Content.AlertOutbox.Values]);

        private sealed class Holding(SimulatedStore store, Task running) : IAsyncDisposable
        {
            public async ValueTask DisposeAsync()
            {
                store.Held.GoOn();
                try
                {
                    await running;
                }
                catch (StoreException)
                {
                    // It was ended, as the test wanted.
                }
            }
        }

        private static StoredReading Look(SimulatedReading reading)
        {
            var isNull = (reading.Flags & ReadingFlags.Null) != 0;
            var isText = reading.Type == MetricType.Text && !isNull;
            return new StoredReading(
                reading.Series, reading.Time, reading.Flags, isNull || isText ? null : reading.Bits,
                isText ? Encoding.UTF8.GetString(reading.Text.Span) : null);
        }
    }
}
