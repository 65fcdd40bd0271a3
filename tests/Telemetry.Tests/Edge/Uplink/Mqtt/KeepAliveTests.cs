using Telemetry.Edge.Uplink.Mqtt;

namespace Telemetry.Tests.Edge.Uplink.Mqtt;

public sealed class KeepAliveTests
{
    private static readonly KeepAlive Rule = new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));

    [Theory]
    [InlineData(100, 100, 100, 130)]
    [InlineData(70, 70, 100, 100)]
    [InlineData(100, 100, 70, 100)]
    [InlineData(100, 50, 90, 120)]
    public void Silence_in_one_direction_asks_for_a_ping(int sending, int written, int received, int due) =>
        Assert.Equal(At(due), Rule.Due(new(At(sending), At(written), At(received)), pingedAt: null));

    [Theory]
    [InlineData(50, 50, 110)]
    [InlineData(104, 50, 114)]
    [InlineData(50, 107, 117)]
    public void Connection_is_lost_when_nothing_moves_after_a_ping(int written, int received, int due) =>
        Assert.Equal(At(due), Rule.Due(new(At(100), At(written), At(received)), pingedAt: At(100)));

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);
}
