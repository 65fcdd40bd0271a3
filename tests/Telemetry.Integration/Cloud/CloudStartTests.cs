using System.Net;
using System.Net.Sockets;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Cloud;

/// <summary>
/// What keeps a cloud from starting is said by check and by run alike, in one sentence and without a trace.
/// </summary>
public sealed class CloudStartTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _taken = new(SocketType.Stream, ProtocolType.Tcp);

    public CloudStartTests()
    {
        _taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _taken.Listen();
        File.WriteAllText(_folder.At("gateways"), "gw-1:one\n");
    }

    private int TakenPort => ((IPEndPoint)_taken.LocalEndPoint!).Port;

    [Theory]
    [InlineData("'http': { 'port': TAKEN }", 1, "http.port: TAKEN on 127.0.0.1 is in use by another program")]
    [InlineData(
        "'ingress': { 'port': TAKEN, 'gateways': 'FOLDER/gateways', 'plainPasswords': true }, 'http': { 'port': FREE }",
        1, "ingress.port: TAKEN on 127.0.0.1 is in use by another program")]
    [InlineData(
        "'http': { 'address': '192.0.2.7', 'port': FREE }", 1,
        "http.address: 192.0.2.7 is not an address of this machine")]
    [InlineData(
        "'ingress': { 'port': 0, 'gateways': 'FOLDER/gateways' }, 'http': { 'port': FREE }", 1,
        "ingress.gateways: FOLDER/gateways: line 1 is not of the form gateway:salt:hash")]
    [InlineData(
        "'ingress': { 'port': 0, 'gateways': 'FOLDER/gateways', 'plainPasswords': true, "
        + "'tls': { 'certificate': 'FOLDER/gateways', 'key': 'FOLDER/gateways' } }, 'http': { 'port': FREE }",
        1, "ingress.tls.certificate: FOLDER/gateways does not contain a certificate in PEM")]
    [InlineData("'http': { 'prot': 1 }", 2, "http.prot: is not a key of this program")]
    [InlineData("\n  'http': { 'port': 1, ] }", 2, "FOLDER/telemetry.json: line 2, position 24: ")]
    [InlineData("'http': 1, 'http': 2", 2, "http: is set twice in FOLDER/telemetry.json")]
    public async Task What_is_wrong_is_said_by_check_and_run_alike(string section, int code, string sentence)
    {
        await File.WriteAllTextAsync(_folder.At("telemetry.json"), Fill(
            section.Contains("ingress", StringComparison.Ordinal)
                ? $"{{ {Servers}, {section}\n}}"
                : $"{{ {Servers}, 'ingress': {{ 'port': 0, 'gateways': 'FOLDER/gateways', 'plainPasswords': true }}, "
                    + $"{section}\n}}").Replace('\'', '"'));

        var check = await CloudCommand.RunAsync("check", "--config", _folder.At("telemetry.json"));
        var run = await CloudCommand.RunAsync("run", "--config", _folder.At("telemetry.json"));

        Assert.Contains(Fill(sentence), check.All, StringComparison.Ordinal);
        Assert.Contains(Fill(sentence), run.All, StringComparison.Ordinal);
        Assert.Equal((code, code), (check.Code, run.Code));
        Assert.DoesNotContain("   at ", run.All, StringComparison.Ordinal);
        Assert.DoesNotContain("Microsoft.", run.All, StringComparison.Ordinal);
        Assert.InRange(run.All.Length, 1, 1000);
    }

    [Theory]
    [InlineData("missing.json", "there is no such file; --config FILE names the configuration")]
    [InlineData("", "denied")]
    public async Task Configuration_that_is_no_file_is_named_by_check_and_run_alike(string name, string sentence)
    {
        var check = await CloudCommand.RunAsync("check", "--config", _folder.At(name));
        var run = await CloudCommand.RunAsync("run", "--config", _folder.At(name));

        Assert.Equal((2, 2), (check.Code, run.Code));
        Assert.Equal(check.Errors, run.Errors);
        Assert.StartsWith(_folder.At(name).TrimEnd('/'), run.Errors, StringComparison.Ordinal);
        Assert.Contains(sentence, run.Errors, StringComparison.Ordinal);
        Assert.Single(run.Errors.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("run", "--help")]
    public async Task Help_is_an_answer(params string[] arguments)
    {
        var help = await CloudCommand.RunAsync(arguments);

        Assert.Equal((0, ""), (help.Code, help.Errors));
        Assert.Contains("Usage:", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_is_said_in_one_line()
    {
        var version = await CloudCommand.RunAsync("--version");

        Assert.Equal((0, ""), (version.Code, version.Errors));
        Assert.Matches(@"^Telemetry\.Cloud \d+\.\d+\.\d+\n$", version.Output);
    }

    [Fact]
    public async Task Unknown_command_is_named_on_the_error_output()
    {
        var unknown = await CloudCommand.RunAsync("strat");

        Assert.Equal((2, ""), (unknown.Code, unknown.Output));
        Assert.Contains("'strat'", unknown.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_password_gets_no_line()
    {
        var password = await CloudCommand.RunAsync("password", "gw-1");

        Assert.Equal((2, ""), (password.Code, password.Output));
        Assert.StartsWith("the password is empty", password.Errors, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync()
    {
        _taken.Dispose();
        return _folder.DisposeAsync();
    }

    private const string Servers =
        "'nats': { 'servers': [ 'nats://127.0.0.1:1' ] }, 'database': { 'connection': 'Host=127.0.0.1;Port=1' }";

    private string Fill(string text) => text
        .Replace("FOLDER", _folder.FullPath, StringComparison.Ordinal)
        .Replace("TAKEN", $"{TakenPort}", StringComparison.Ordinal)
        .Replace("FREE", $"{FreePort.Next()}", StringComparison.Ordinal);
}
