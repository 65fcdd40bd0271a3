using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Simulated;

public sealed class SimulatedAlertSinkContractTests : AlertSinkContract
{
    private readonly Pump _pump = new();

    protected override Task RunAsync(Func<AlertSinkStand, Task> test)
    {
        _pump.Run(() => test(new Stand(_pump)));
        return Task.CompletedTask;
    }

    protected override DateTimeOffset Now() => _pump.Clock.GetUtcNow();

    protected override Task PassTimeAsync() => Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock);

    private sealed class Stand(Pump pump) : AlertSinkStand
    {
        private readonly SimulatedAlertSink _sink = new(pump, new Random(1));

        public override IAlertSink Sink => _sink;

        public override string RouteTopic => "critical";

        public override string StateTopic => "state";

        public override Task<IReadOnlyList<AlertSeen>> ConsumeAsync(bool committedOnly) =>
            Task.FromResult<IReadOnlyList<AlertSeen>>(
                [.. (committedOnly ? _sink.Committed : _sink.Uncommitted).Select(r =>
                    new AlertSeen(r.Key, r.Row.Json.ToArray(), r.Headers.ToDictionary(h => h.Key, h => h.Value)))]);

        public override Task<IReadOnlyList<AlertSeen>> ConsumeAsync(string topic) =>
            Task.FromResult<IReadOnlyList<AlertSeen>>(
                [.. from record in _sink.Committed
                    from copy in record.Copies
                    where copy.Topic == topic
                    select new AlertSeen(
                        copy.Key, copy.Value?.ToArray(), record.Headers.ToDictionary(h => h.Key, h => h.Value))]);

        public override async Task DieInTransactionAsync(IReadOnlyList<AlertRecord> records)
        {
            var life = new ProcessLife(pump);
            _sink.Calls.LosesRequest = what =>
            {
                if (what == "commit")
                {
                    life.Kill();
                }

                return !life.IsAlive;
            };
            _ = life.Run(async () =>
            {
                var producer = await _sink.BeginAsync(default);
                await producer.PublishAsync(records, new Dictionary<int, RelayPosition> { [9] = default }, default);
            });
            await life.Died;
            _sink.Calls.LosesRequest = _ => false;
        }
    }
}

public sealed class SimulatedAlertOutboxContractTests : AlertOutboxContract
{
    protected override Task RunAsync(Func<IAlertOutboxUnderTest, Task> test)
    {
        var pump = new Pump();
        pump.Run(() => test(new UnderTest(pump)));
        return Task.CompletedTask;
    }

    private sealed class UnderTest : IAlertOutboxUnderTest
    {
        private readonly Pump _pump;
        private readonly SimulatedStore _store;

        public UnderTest(Pump pump)
        {
            _pump = pump;
            _store = new SimulatedStore(pump, new Random(1));
            Outbox = new SimulatedAlertOutbox(_store);
        }

        public IAlertOutbox Outbox { get; }

        public Task Append(params AlertOutboxRow[] rows)
        {
            _store.Content = _store.Content.WithAlerts(rows, _pump.Clock.GetUtcNow());
            return Task.CompletedTask;
        }

        public Task PassTime(TimeSpan time) => Task.Delay(time, _pump.Clock);

        public Task Describe(string gateway, string device, string site)
        {
            var relay = _store.Content.Relay;
            _store.Content = _store.Content with
            {
                Relay = relay with { Sites = relay.Sites.SetItem((gateway, device), site) },
            };
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<string>> Orphans() => Task.FromResult<IReadOnlyList<string>>(
            [.. _store.Content.Relay.Orphans.Keys.Order(StringComparer.Ordinal)]);
    }
}
