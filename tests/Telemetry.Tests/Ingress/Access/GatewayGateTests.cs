using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Model.Identity;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Ingress.Access;

public sealed class GatewayGateTests
{
    private static readonly GatewayPasswords Hashed = GatewayPasswords.Read(
        ["# gateways", "", GatewayPasswords.Line(GatewayId.Parse("gw-1"), "secret"u8)], plain: false);

    private static readonly GatewayPasswords Plain = GatewayPasswords.Read(["gw-1:se:cret", "gw-2:other"], plain: true);

    [Theory]
    [InlineData("gw-1", "gw-1", "secret", MqttReasonCode.Success)]
    [InlineData("gw-1/2", "gw-1", "secret", MqttReasonCode.Success)]
    [InlineData("gw-1", "gw-1", "Secret", MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("gw-1", "gw-1", "", MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("gw-1", "gw-1", null, MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("gw-1", null, "secret", MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("gw-2", "gw-2", "secret", MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("gw-1", "gw-1/2", "secret", MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("gw-2", "gw-1", "secret", MqttReasonCode.ClientIdentifierNotValid)]
    [InlineData("gw-12", "gw-1", "secret", MqttReasonCode.ClientIdentifierNotValid)]
    [InlineData("x/gw-1", "gw-1", "secret", MqttReasonCode.ClientIdentifierNotValid)]
    public async Task Gateway_is_let_in_by_its_own_password_and_client_id_alone(
        string clientId, string? user, string? password, MqttReasonCode expected)
    {
        var gate = new GatewayGate(new PasswordHandler(
            () => Hashed, new PasswordOptions { RefuseAfter = TimeSpan.Zero }, new IngressCounters(),
            new SimulatedClock(), NullLogger.Instance));

        // Twice: what is remembered of a right password must not let a wrong one in.
        Assert.Equal(expected, (await gate.AuthenticateAsync(Request(clientId, user, password), default)).ReasonCode);
        Assert.Equal(expected, (await gate.AuthenticateAsync(Request(clientId, user, password), default)).ReasonCode);
    }

    [Fact]
    public void Plain_password_may_hold_a_colon()
    {
        Assert.True(Plain.Verify(GatewayId.Parse("gw-1"), "se:cret"u8));
        Assert.False(Plain.Verify(GatewayId.Parse("gw-1"), "se"u8));
        Assert.False(Plain.Verify(GatewayId.Parse("gw-2"), "se:cret"u8));
    }

    [Theory]
    [InlineData("gw-1:secret", false, "line 2 is not of the form gateway:salt:hash")]
    [InlineData("gw 1:x", true, "line 2 is not of the form gateway:password")]
    [InlineData("gw-0:x", true, "line 2 names gw-0 a second time")]
    [InlineData("gw-1:AAAA:AAAA", false, "line 2: the salt is not 16 bytes in base64")]
    public void Wrong_line_is_named(string line, bool plain, string message)
    {
        var first = plain ? "gw-0:x" : GatewayPasswords.Line(GatewayId.Parse("gw-0"), "x"u8);

        var error = Assert.Throws<FormatException>(() => GatewayPasswords.Read([first, line], plain));

        Assert.Equal(message, error.Message);
    }

    [Theory]
    [InlineData("CN=gw-1", null, MqttReasonCode.Success)]
    [InlineData("CN=gw-1, O=Farm", "gw-1", MqttReasonCode.Success)]
    [InlineData("CN=gw-1", "gw-2", MqttReasonCode.NotAuthorized)]
    [InlineData("CN=gw-2", null, MqttReasonCode.ClientIdentifierNotValid)]
    [InlineData("CN=gw 1", null, MqttReasonCode.NotAuthorized)]
    [InlineData("O=gw-1", null, MqttReasonCode.NotAuthorized)]
    public async Task Certificate_names_the_gateway_by_its_common_name(
        string subject, string? user, MqttReasonCode expected)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now, now.AddYears(1));

        var result = await new GatewayGate(null)
            .AuthenticateAsync(Request("gw-1", user, null) with { ClientCertificate = certificate }, default);

        Assert.Equal(expected, result.ReasonCode);
    }

    [Fact]
    public async Task Password_is_not_taken_where_only_certificates_are()
    {
        var result = await new GatewayGate(null).AuthenticateAsync(Request("gw-1", "gw-1", "secret"), default);

        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, result.ReasonCode);
    }

    private static ConnectRequest Request(string clientId, string? user, string? password) => new()
    {
        ClientId = clientId,
        UserName = user,
        Password = password is null ? null : new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(password)),
    };
}
