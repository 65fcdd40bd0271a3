using Telemetry.Mqtt;

namespace Telemetry.Tests.Mqtt;

public sealed class ReconnectBackoffTests
{
    [Fact]
    public void Wait_doubles_up_to_the_largest_and_is_drawn_from_its_upper_half()
    {
        var backoff = new ReconnectBackoff(new Random(1))
        {
            First = TimeSpan.FromSeconds(1),
            Largest = TimeSpan.FromSeconds(30)
        };
        double[] bounds = [1, 2, 4, 8, 16, 30, 30, 30];
        foreach (double bound in bounds) Assert.InRange(backoff.Next().TotalSeconds, bound / 2, bound);
    }

    [Fact]
    public void Two_clients_do_not_come_back_in_step()
    {
        var one = new ReconnectBackoff(new Random(1));
        var other = new ReconnectBackoff(new Random(2));
        Assert.NotEqual(one.Next(), other.Next());
    }

    [Fact]
    public void Good_connection_begins_small_again()
    {
        var backoff = new ReconnectBackoff(new Random(1));
        for (int i = 0; i < 100; i++) backoff.Next();
        backoff.Reset();
        Assert.InRange(backoff.Next(), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1));
    }
}
