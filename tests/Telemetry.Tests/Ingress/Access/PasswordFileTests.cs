using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Ingress.Access;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Ingress.Access;

public sealed class PasswordFileTests : IAsyncDisposable
{
    private static readonly GatewayId One = GatewayId.Parse("gw-1"), Two = GatewayId.Parse("gw-2");

    private readonly TemporaryFolder _folder = new();
    private readonly SimulatedClock _clock = new();

    [Fact]
    public void Gateways_that_are_added_and_removed_count_a_second_later()
    {
        var file = Open("gw-1:one\n");
        Write("gw-2:second\n");
        Assert.True(file.Current().Verify(One, "one"u8));

        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.False(file.Current().Verify(One, "one"u8));
        Assert.True(file.Current().Verify(Two, "second"u8));
    }

    [Fact]
    public void What_was_found_right_is_remembered_until_the_gateways_own_line_changes()
    {
        var line = GatewayPasswords.Line(One, "one"u8);
        var first = GatewayPasswords.Read([line], plain: false);
        Assert.False(first.IsRemembered(One, "one"u8));
        Assert.True(first.Verify(One, "one"u8));

        var grown = GatewayPasswords.Read([line, GatewayPasswords.Line(Two, "two"u8)], plain: false, first);
        var changed = GatewayPasswords.Read([GatewayPasswords.Line(One, "other"u8)], plain: false, grown);
        var removed = GatewayPasswords.Read([GatewayPasswords.Line(Two, "two"u8)], plain: false, grown);

        Assert.True(grown.IsRemembered(One, "one"u8));
        Assert.False(grown.IsRemembered(One, "two"u8));
        Assert.False(grown.IsRemembered(Two, "two"u8));
        Assert.False(changed.IsRemembered(One, "one"u8));
        Assert.False(changed.Verify(One, "one"u8));
        Assert.False(removed.IsRemembered(One, "one"u8));
        Assert.False(removed.Verify(One, "one"u8));
    }

    [Theory]
    [InlineData("gw-1\n")]
    [InlineData(null)]
    public void Version_that_cannot_be_read_leaves_the_one_before(string? text)
    {
        var file = Open("gw-1:one\n");
        Write(text);

        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True(file.Current().Verify(One, "one"u8));
    }

    [Fact]
    public void First_version_that_cannot_be_read_names_the_file_and_the_line()
    {
        var error = Assert.Throws<FormatException>(() => Open("gw-1:one\nx y\n"));

        Assert.Equal($"{_folder.At("gateways")}: line 2 is not of the form gateway:password", error.Message);
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    private PasswordFile Open(string text)
    {
        Write(text);
        return new PasswordFile(_folder.At("gateways"), plain: true, _clock, NullLogger.Instance);
    }

    private void Write(string? text)
    {
        File.Delete(_folder.At("gateways"));
        if (text is not null)
        {
            File.WriteAllText(_folder.At("gateways"), text);
        }
    }
}
