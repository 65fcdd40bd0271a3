using System.Text.Json;
using Telemetry.Agent.Status;

namespace Telemetry.Tests.Edge;

public sealed class AgentStatusTests
{
    private static readonly AgentStatus Status =
        new() { Gateway = "gw-1", Accepted = 10, AtTheEdge = 4, InFlight = 3, LinkUp = true };

    [Fact]
    public void Json_says_the_books()
    {
        using var json = JsonDocument.Parse(AgentStatus.Json([Status]));

        var agent = json.RootElement[0];
        Assert.Equal("gw-1", agent.GetProperty("gateway").GetString());
        Assert.Equal(6, agent.GetProperty("settled").GetInt64());
        Assert.Equal(JsonValueKind.Null, agent.GetProperty("lastAnswer").ValueKind);
    }

    [Fact]
    public void Prometheus_text_has_the_sums_of_the_process_and_names_no_gateway()
    {
        var text = AgentStatus.Prometheus([Status, Status with { Gateway = "gw-2", LinkUp = false }]);

        Assert.Contains("# TYPE telemetry_agent_accepted_readings gauge\n", text, StringComparison.Ordinal);
        Assert.Contains("telemetry_agent_accepted_readings 20\n", text, StringComparison.Ordinal);
        Assert.Contains("telemetry_agent_links_up 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("gw-", text, StringComparison.Ordinal);
    }
}
