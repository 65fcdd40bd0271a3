using Telemetry.Cloud.Storage;
using Telemetry.Model;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Testing.Contracts;
using Telemetry.Testing.Simulated;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Testing.Simulated;

public sealed class SimulatedStoreContractTests : StoreContract
{
    protected override Task<IStoreUnderTest> Open() => Task.FromResult<IStoreUnderTest>(new UnderTest());

    /// <summary>Each call runs the pump until it is answered, since the contract's tests know of none.</summary>
    private sealed class UnderTest : IStoreUnderTest, IStore
    {
        private readonly Pump _pump = new();
        private readonly SimulatedStore _store;

        public UnderTest() => _store = new SimulatedStore(_pump, new Random(1));

        public IStore Store => this;

        public Task<IStore> OpenAnother() => Task.FromResult<IStore>(this);

        public Task PassTime(TimeSpan time)
        {
            _pump.Clock.Advance(time);
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<StoredReading>> ReadAllReadings() => Task.FromResult<IReadOnlyList<StoredReading>>(
            [.. SimulatedDatabase.All(_store.Content.Readings).Select(Look)]);

        public Task<IReadOnlyList<DeadLetterRow>> ReadAllDeadLetters() => Task.FromResult<IReadOnlyList<DeadLetterRow>>(
            [.. SimulatedDatabase.All(_store.Content.DeadLetters)]);

        public Task<IReadOnlyList<DropLedgerRow>> ReadAllDrops() => Task.FromResult<IReadOnlyList<DropLedgerRow>>(
            [.. SimulatedDatabase.All(_store.Content.Drops)]);

        public Task<PartitionRow?> TakeLeaseAsync(
            int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
            Answer(() => _store.TakeLeaseAsync(partition, token, owner, lease, cancellationToken));

        public Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken)
        {
            _pump.Run(() => _store.ReleaseLeaseAsync(partition, token, cancellationToken));
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
            IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken) =>
            Answer(() => _store.LoadGatewaysAsync(gateways, cancellationToken));

        public Task<IReadOnlyList<SchemaMessage>?> LoadSchemaAsync(
            GatewayId gateway, SchemaId schema, CancellationToken cancellationToken) =>
            Answer(() => _store.LoadSchemaAsync(gateway, schema, cancellationToken));

        public Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
            GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, CancellationToken cancellationToken) =>
            Answer(() => _store.FindFramesAsync(gateway, epoch, lane, range, cancellationToken));

        public Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) =>
            Answer(() => _store.CommitAsync(commit, cancellationToken));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static StoredReading Look(SimulatedReading reading) =>
            (reading.Flags & ReadingFlags.Null) != 0 ? new(reading.Device, reading.Series, reading.Time, reading.Flags, null, null)
            : reading.Type == MetricType.Text ? StoredReading.Of(
                reading.Device, reading.Series, reading.Time, reading.Flags, reading.Text.Span)
            : StoredReading.Number(reading.Device, reading.Series, reading.Time, reading.Bits, reading.Flags);

        private Task<T> Answer<T>(Func<Task<T>> call)
        {
            try
            {
                return Task.FromResult(_pump.Run(call));
            }
            catch (StoreException e)
            {
                return Task.FromException<T>(e);
            }
        }
    }
}
