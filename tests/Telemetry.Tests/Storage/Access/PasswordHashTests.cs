using Telemetry.Storage.Access;

namespace Telemetry.Tests.Storage.Access;

public sealed class PasswordHashTests
{
    [Fact]
    public void Password_is_itself_and_no_other_one()
    {
        var hash = PasswordHash.Of("pässword", rounds: 3);

        Assert.True(hash.Is("pässword"));
        Assert.False(hash.Is("password"));
        Assert.False(hash.Is(""));
        Assert.False((hash with { Rounds = 4 }).Is("pässword"));
    }

    [Fact]
    public void Same_password_is_kept_differently_each_time() =>
        Assert.NotEqual(PasswordHash.Of("a", rounds: 1).Hash, PasswordHash.Of("a", rounds: 1).Hash);

    [Fact]
    public void Password_of_nobody_costs_as_much_as_a_new_one() =>
        Assert.Equal(PasswordHash.RoundsOfNew, PasswordHash.Nobody.Rounds);
}
