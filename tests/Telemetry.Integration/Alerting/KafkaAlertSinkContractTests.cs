using System.Text;
using Confluent.Kafka;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Alerting.Routes;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting;

/// <summary>
/// The sink's contract, on a real broker; each claim has topics and a transactional id of its own. As a theory over the
/// claims, since they are skipped where there is no Kafka.
/// </summary>
public sealed class KafkaAlertSinkContractTests(KafkaFixture fixture) : IClassFixture<KafkaFixture>
{
    /// <summary>The facts of the contract by name.</summary>
    public static TheoryData<string> Claims => [.. typeof(AlertSinkContract).GetMethods()
        .Where(m => m.IsDefined(typeof(FactAttribute), inherit: true)).Select(m => m.Name)
        .Order(StringComparer.Ordinal)];

    [KafkaTheory]
    [MemberData(nameof(Claims))]
    public Task Kafka_keeps_to_the_contract(string claim) =>
        (Task)typeof(AlertSinkContract).GetMethod(claim)!.Invoke(new KafkaContract(fixture.Server.Address), null)!;
}

/// <summary>The contract's claims as they are made of the Kafka at an address.</summary>
internal sealed class KafkaContract(string server) : AlertSinkContract
{
    private static int _tests;

    protected override async Task RunAsync(Func<AlertSinkStand, Task> test) =>
        await test(new Stand(server, Interlocked.Increment(ref _tests)));

    protected override DateTimeOffset Now() => TimeProvider.System.GetUtcNow();

    // Kafka's times are whole milliseconds.
    protected override Task PassTimeAsync() => Task.Delay(TimeSpan.FromMilliseconds(20));

    private sealed class Stand : AlertSinkStand
    {
        private readonly KafkaOptions _options;

        public Stand(string server, int test)
        {
            _options = new KafkaOptions
            {
                Servers = [server],
                TransactionalId = $"relay-{test}",
                AlertTopic = $"alerts-{test}",
                PositionTopic = $"positions-{test}",
                StateTopic = $"state-{test}",
                Routes = new AlertRoutes([new AlertRoute { Name = "all", Topics = [$"route-{test}"] }]),
            };
            Sink = new KafkaAlertSink(_options, TimeProvider.System);
        }

        public override IAlertSink Sink { get; }

        public override string RouteTopic => _options.Routes.Topics[0];

        public override string StateTopic => _options.StateTopic;

        public override Task<IReadOnlyList<AlertSeen>> ConsumeAsync(string topic) =>
            Task.FromResult<IReadOnlyList<AlertSeen>>(
                TopicConsumer.ReadAll(_options.Servers[0], topic, committedOnly: true));

        public override Task<IReadOnlyList<AlertSeen>> ConsumeAsync(bool committedOnly) =>
            Task.FromResult<IReadOnlyList<AlertSeen>>(
                TopicConsumer.ReadAll(_options.Servers[0], _options.AlertTopic, committedOnly));

        public override async Task DieInTransactionAsync(IReadOnlyList<AlertRecord> records)
        {
            await new KafkaTopics(_options, TimeProvider.System).EnsureAsync();
            var within = TimeSpan.FromSeconds(30);
            using var producer = new ProducerBuilder<string, byte[]>(KafkaConfiguration.Producer(_options)).Build();
            producer.InitTransactions(within);
            producer.BeginTransaction();
            foreach (var record in records)
            {
                producer.Produce(_options.AlertTopic, new Message<string, byte[]>
                {
                    Key = record.Key,
                    Value = record.Row.Json.ToArray(),
                    Headers = [.. record.Headers.Select(h => new Header(h.Key, Encoding.UTF8.GetBytes(h.Value)))],
                });
            }

            Assert.Equal(0, producer.Flush(within));
        }
    }
}
