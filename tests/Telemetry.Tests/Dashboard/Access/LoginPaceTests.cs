using Telemetry.Dashboard.Access;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Dashboard.Access;

public sealed class LoginPaceTests
{
    private readonly SimulatedClock _clock = new();
    private readonly LoginPace _pace;

    public LoginPaceTests() => _pace = new LoginPace(_clock);

    [Fact]
    public void Wrong_passwords_of_an_address_for_a_name_are_checked_ever_more_slowly()
    {
        var waits = Enumerable.Range(0, 12).Select(_ =>
        {
            var wait = _pace.Begin("a", "ann");
            _clock.Advance(wait);
            return wait == TimeSpan.Zero ? wait : wait + _pace.Begin("a", "ann");
        }).Select(wait => (int)wait.TotalSeconds);

        Assert.Equal([0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60], waits);
    }

    [Fact]
    public void Attempt_during_a_pause_does_not_make_it_longer()
    {
        Exhaust("a", "ann");

        Assert.Equal(TimeSpan.FromSeconds(1), _pace.Begin("a", "ann"));
        Assert.Equal(TimeSpan.FromSeconds(1), _pace.Begin("a", "ann"));
    }

    [Fact]
    public void Attempt_that_could_not_be_checked_does_not_count()
    {
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(TimeSpan.Zero, _pace.Begin("a", "ann"));
            _pace.Withdraw("a", "ann");
        }

        Exhaust("a", "ann");
        Assert.Equal(TimeSpan.FromSeconds(1), _pace.Begin("a", "ann"));
    }

    [Fact]
    public void Others_of_the_name_and_other_names_of_the_address_are_not_paused()
    {
        Exhaust("a", "ann");

        Assert.Equal(TimeSpan.Zero, _pace.Begin("b", "ann"));
        Assert.Equal(TimeSpan.Zero, _pace.Begin("a", "bob"));
    }

    [Fact]
    public void Address_that_tries_many_names_is_paused_and_a_right_password_of_its_own_does_not_help()
    {
        for (var i = 0; i < 29; i++)
        {
            Assert.Equal(TimeSpan.Zero, _pace.Begin("a", $"name {i}"));
            Assert.Equal(TimeSpan.Zero, _pace.Begin("a", "own"));
            _pace.Succeeded("a", "own");
        }

        Assert.Equal(TimeSpan.Zero, _pace.Begin("a", "one more"));
        Assert.Equal(TimeSpan.FromSeconds(1), _pace.Begin("a", "own"));
        Assert.Equal(TimeSpan.Zero, _pace.Begin("b", "own"));
    }

    [Fact]
    public void Right_password_forgets_the_wrong_ones_before_it()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(TimeSpan.Zero, _pace.Begin("a", "ann"));
            Assert.Equal(TimeSpan.Zero, _pace.Begin("a", "ann"));
            _pace.Succeeded("a", "ann");
        }
    }

    [Fact]
    public void After_quiet_an_address_begins_anew()
    {
        Exhaust("a", "ann");
        _clock.Advance(2 * LoginPace.PauseMax);

        Exhaust("a", "ann");
    }

    private void Exhaust(string address, string name)
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(TimeSpan.Zero, _pace.Begin(address, name));
        }
    }
}
