using System.Net;
using Telemetry.Ingress.Access;

namespace Telemetry.Tests.Ingress.Access;

public sealed class PasswordChecksTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly PasswordSender One = Sender("10.0.0.1", "gw-1"), Other = Sender("10.0.0.1", "gw-2"),
        Far = Sender("10.0.0.2", "gw-3");

    // Holds the only worker until the test has put in what it wants to see taken.
    private readonly TaskCompletionSource _hold = new();

    [Fact]
    public async Task Networks_take_turns_so_that_many_checks_of_one_do_not_hold_up_another()
    {
        var order = new List<string>();
        var checks = new PasswordChecks(new PasswordOptions { Workers = 1 });
        var tasks = new List<Task>
        {
            checks.CheckAsync(Sender("10.0.0.9", "x"), Hold, default),
            Check(checks, One, order), Check(checks, One, order), Check(checks, Other, order),
            Check(checks, Far, order),
        };

        _hold.SetResult();
        await Task.WhenAll(tasks).WaitAsync(Soon);

        Assert.Equal(["gw-1", "gw-3", "gw-1", "gw-2"], order);
    }

    [Fact]
    public async Task One_sender_has_so_many_places_and_all_have_so_many()
    {
        var checks = new PasswordChecks(
            new PasswordOptions { Workers = 1, WaitingPerSenderMax = 2, WaitingMax = 3 });
        var held = checks.CheckAsync(Sender("10.0.0.9", "x"), Hold, default);
        await UntilAsync(() => checks.Waiting == 0);
        var first = checks.CheckAsync(One, () => true, default);
        var second = checks.CheckAsync(One, () => false, default);

        Assert.Equal(PasswordVerdict.Unchecked, await checks.CheckAsync(One, () => true, default));
        var third = checks.CheckAsync(Other, () => true, default);
        Assert.Equal(PasswordVerdict.Busy, await checks.CheckAsync(Far, () => true, default));

        _hold.SetResult();
        await held.WaitAsync(Soon);
        Assert.Equal(
            [PasswordVerdict.Right, PasswordVerdict.Wrong, PasswordVerdict.Right],
            await Task.WhenAll(first, second, third).WaitAsync(Soon));
        Assert.Equal(PasswordVerdict.Right, await checks.CheckAsync(One, () => true, default).WaitAsync(Soon));
    }

    [Fact]
    public async Task Check_that_nobody_waits_for_any_more_is_not_done()
    {
        using var gone = new CancellationTokenSource();
        var checks = new PasswordChecks(new PasswordOptions { Workers = 1 });
        var held = checks.CheckAsync(Sender("10.0.0.9", "x"), Hold, default);
        var done = false;
        var abandoned = checks.CheckAsync(One, () => done = true, gone.Token);

        await gone.CancelAsync();
        _hold.SetResult();

        await Assert.ThrowsAsync<TaskCanceledException>(() => abandoned.WaitAsync(Soon));
        await held.WaitAsync(Soon);
        Assert.False(done);
    }

    private bool Hold() => _hold.Task.Wait(Soon);

    private static Task Check(PasswordChecks checks, PasswordSender sender, List<string> order) =>
        checks.CheckAsync(
            sender,
            () =>
            {
                lock (order)
                {
                    order.Add(sender.Gateway);
                }

                return true;
            },
            default);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 3000, "it did not come to hold");
            await Task.Delay(10);
        }
    }

    private static PasswordSender Sender(string address, string gateway) =>
        PasswordSender.Of(new IPEndPoint(IPAddress.Parse(address), 1), gateway);
}
