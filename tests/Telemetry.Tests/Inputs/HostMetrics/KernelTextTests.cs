using System.Text;
using Telemetry.Inputs.HostMetrics;
using Telemetry.TestKit.Servers;

namespace Telemetry.Tests.Inputs.HostMetrics;

public sealed class KernelTextTests
{
    [Fact]
    public void Words_end_at_blanks_and_colons()
    {
        var text = new KernelText("  eth0: 12\t-3 x7\nlo:1\n"u8);

        Assert.True(text.TryLine(out var first));
        Assert.Equal("eth0", Encoding.UTF8.GetString(first.Word()));
        Assert.True(first.TryCounter(out var counter));
        Assert.True(first.TryNumber(out var number));
        Assert.Equal((12UL, -3L), (counter, number));
        Assert.False(first.TryNumber(out _));
        Assert.True(first.Word().IsEmpty);
        Assert.True(text.TryLine(out var second));
        Assert.Equal("lo", Encoding.UTF8.GetString(second.Word()));
        Assert.False(text.TryLine(out _));
    }

    [Fact]
    public void A_number_too_large_is_none()
    {
        var text = new KernelText("18446744073709551616"u8);
        Assert.False(text.TryCounter(out _));
    }

    [Fact]
    public async Task An_absent_file_is_empty()
    {
        await using var folder = new TemporaryFolder();
        using var file = new KernelFile(folder.At("absent"));

        Assert.True(file.Read().IsEmpty);
    }

    [Fact]
    public async Task A_file_is_read_anew_each_time_and_whole()
    {
        await using var folder = new TemporaryFolder();
        var path = folder.At("file");
        await File.WriteAllTextAsync(path, "one");
        using var file = new KernelFile(path);
        Assert.Equal("one", Encoding.UTF8.GetString(file.Read()));

        var large = new string('x', 100_000);
        await File.WriteAllTextAsync(path, large);
        Assert.Equal(large, Encoding.UTF8.GetString(file.Read()));
    }
}
