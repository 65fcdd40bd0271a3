using System.Globalization;
using System.Text.Json;
using Telemetry.Integration.Cloud;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Tracing;

namespace Telemetry.Integration.Tracing;

/// <summary>The executables with traces on, and a collector of our own.</summary>
public sealed class TraceProcessTests
{
    private const string Off = "{}";
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);
    private static readonly string[] Steps = ["append frame", "commit frame", "send frame", "store frame"];

    [ServersFact(nats: true, postgres: true)]
    public async Task Frames_spans_of_agent_ingress_and_processor_arrive_as_one_trace_under_the_parent_of_its_key()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var collector = await CollectorStub.StartAsync();
        var withSecrets = new UriBuilder(collector.Address)
        {
            UserName = "user",
            Password = "secret",
            Path = "/v1/traces",
            Query = "token=secret",
        }.Uri;
        // An ingress is ready once a processor has made the log's streams.
        await using var processor = await StartCloud(nats, postgres, "processor", To(withSecrets));
        await using var ingress = await StartCloud(nats, postgres, "ingress", To(withSecrets));
        await using var agent = new AgentProcess(ingress.MqttPort, To(withSecrets));
        await agent.Start();

        await Until(() => Whole(collector).Any(), "no trace became whole");

        foreach (var trace in Whole(collector).ToArray())
        {
            var parent = FrameTrace.Of(GatewayId.Parse("gw-1"), KeyOf(trace.First().Tags["telemetry.frame"])).Parent;
            Assert.Equal($"{parent.TraceId}", trace.Key);
            Assert.All(trace, span => Assert.Equal($"{parent.SpanId}", span.ParentId));
            Assert.Equal(
                ["telemetry-agent", "telemetry-agent", "telemetry-ingress", "telemetry-processor"],
                trace.Select(span => span.Service).Order());
            Assert.All(trace, span => Assert.InRange(span.Start, 1ul, span.End));
        }

        Assert.Contains(
            "telemetry_traces_spans_total{outcome=\"exported\"}", (await processor.Get("/metrics")).Text,
            StringComparison.Ordinal);
        Assert.Contains("telemetry_agent_dropped_spans_total 0\n", await agent.Metrics(), StringComparison.Ordinal);
        await agent.Process.Stop(within: Within);
        Assert.Equal(0, agent.Process.ExitCode);
        foreach (var process in new[] { agent.Process, ingress.Process, processor.Process })
        {
            var log = await File.ReadAllTextAsync(process.OutputFile);
            Assert.Contains($"Traces go to http://127.0.0.1:{collector.Address.Port},", log, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", log, StringComparison.Ordinal);
        }
    }

    [KafkaFact(postgres: true)]
    public async Task Alert_leaves_for_Kafka_in_the_trace_of_the_frame_that_caused_it()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var kafka = await KafkaServer.Start();
        await using var collector = await CollectorStub.StartAsync();
        await using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(
            folder.At("rules.json"),
            """{ "rules": [{ "name": "any", "match": { "metric": "*" }, "above": -1e300 }] }""");
        await using var cloud = await StartCloud(
            nats, postgres, "all", To(collector.Address),
            $$"""
            "kafka": { "servers": "{{kafka.Address}}" },
            "alerts": { "rules": "{{folder.At("rules.json")}}" },
            """);
        await using var agent = new AgentProcess(cloud.MqttPort, To(collector.Address));
        await agent.Start();

        await Until(() => collector.Spans.Any(s => s.Name == "publish alert"), "no alert's span arrived");
        var published = collector.Spans.First(s => s.Name == "publish alert");
        await Until(
            () => collector.Spans.Count(s => s.TraceId == published.TraceId && Steps.Contains(s.Name)) == Steps.Length,
            "the frame's own spans did not arrive");

        var record = TopicConsumer.ReadAll(kafka.Address, "telemetry.alerts", committedOnly: true)
            .Single(alert => alert.Headers["ce_id"] == published.Tags["messaging.message.id"]);
        Assert.Equal(published.TraceId, record.Headers["ce_traceparent"].Split('-')[1]);
        Assert.Equal(published.Tags["telemetry.frame"], record.Headers["ce_causationid"]);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Collector_that_hangs_holds_nothing_up()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var collector = await CollectorStub.StartAsync();
        collector.Hangs = true;
        await using var cloud = await StartCloud(nats, postgres, "all", To(collector.Address, waitingSpansMax: 1));
        await using var agent = new AgentProcess(cloud.MqttPort, To(collector.Address, waitingSpansMax: 1));
        await agent.Start();

        await Until(() => collector.Requests >= 2, "the collector was not asked by both");
        await UntilStored(cloud);

        Assert.Empty(collector.Spans);
        Assert.Matches("telemetry_agent_dropped_spans_total [1-9]", await agent.Metrics());
        Assert.Matches("telemetry_traces_spans_total.outcome=\"dropped\". [1-9]", (await cloud.Get("/metrics")).Text);
        await agent.Process.Stop(within: Within);
        await cloud.Process.Stop(within: Within);
        Assert.Equal((0, 0), (agent.Process.ExitCode, cloud.Process.ExitCode));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Processes_without_an_endpoint_never_load_the_exporter()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = await StartCloud(nats, postgres, "all", Off);
        await using var agent = new AgentProcess(cloud.MqttPort, Off);
        await agent.Start();

        await UntilStored(cloud);

        foreach (var process in new[] { agent.Process, cloud.Process })
        {
            var loaded = await File.ReadAllTextAsync($"/proc/{process.Id}/maps");
            Assert.Contains("Telemetry.Model.dll", loaded, StringComparison.Ordinal);
            Assert.DoesNotContain("OpenTelemetry", loaded, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("spans", await agent.Metrics(), StringComparison.Ordinal);
    }

    private static string To(Uri collector, int waitingSpansMax = 2048) =>
        $$"""
        {
          "endpoint": "{{collector}}",
          "sendEvery": "200 ms",
          "sendTimeout": "1 min",
          "stopTimeout": "500 ms",
          "waitingSpansMax": {{waitingSpansMax}}
        }
        """;

    private static async Task<CloudProcess> StartCloud(
        NatsServer nats, PostgresServer postgres, string role, string traces, string more = "")
    {
        var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = cloud.Configuration.Replace(
            "\"partitions\"", $"\"role\": \"{role}\", \"traces\": {traces}, {more}\"partitions\"",
            StringComparison.Ordinal);
        await cloud.Start();
        await cloud.WaitUntilReady();
        return cloud;
    }

    /// <summary>The traces of which every step has arrived.</summary>
    private static IEnumerable<IGrouping<string, ReceivedSpan>> Whole(CollectorStub collector) =>
        collector.Spans.GroupBy(span => span.TraceId)
            .Where(trace => trace.Select(span => span.Name).Order().SequenceEqual(Steps));

    private static Task UntilStored(CloudProcess cloud) => Until(
        async () => await cloud.Get("/api/gateways/gw-1") is (System.Net.HttpStatusCode.OK, { } text)
            && JsonDocument.Parse(text).RootElement.GetProperty("stored").GetInt64() == AgentProcess.Readings,
        "not all readings were stored");

    private static Task Until(Func<bool> holds, string otherwise) => Until(() => Task.FromResult(holds()), otherwise);

    private static async Task Until(Func<Task<bool>> holds, string otherwise)
    {
        using var limit = new CancellationTokenSource(Within);
        while (!await holds())
        {
            Assert.False(limit.IsCancellationRequested, otherwise);
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>The key in <c>gateway/epoch/lane/first+count</c>.</summary>
    private static FrameKey KeyOf(string frame)
    {
        var parts = frame.Split('/', '+');
        Assert.True(Lanes.TryParse(parts[2], out var lane));
        return new FrameKey(
            Convert.ToUInt64(parts[1], 16),
            lane,
            long.Parse(parts[3], CultureInfo.InvariantCulture),
            int.Parse(parts[4], CultureInfo.InvariantCulture));
    }
}
