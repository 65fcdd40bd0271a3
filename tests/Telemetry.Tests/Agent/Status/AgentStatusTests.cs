using System.Text.Json;
using Telemetry.Agent.Status;
using Telemetry.Inputs.Http;

namespace Telemetry.Tests.Agent.Status;

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
        Assert.False(agent.TryGetProperty("http", out _));
    }

    [Fact]
    public void An_input_that_has_a_status_has_an_object_of_its_name()
    {
        var status = Status with { Inputs = [new HttpInputStatus { LinesStored = 7 }] };

        using var json = JsonDocument.Parse(AgentStatus.Json([status]));

        Assert.Equal(7, json.RootElement[0].GetProperty("http").GetProperty("linesStored").GetInt64());
    }
}
